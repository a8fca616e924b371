/** In the place of what is not here yet. */
export function Loading({ label }: { label: string }) {
  return (
    <div class="loading" role="status">
      <span class="visually-hidden">{label}</span>
      {[0, 1, 2].map((index) => (
        <div key={index} class="card skeleton" />
      ))}
    </div>
  )
}
