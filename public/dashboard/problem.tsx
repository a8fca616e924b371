/** What went wrong, with its code and the next step. */
import { Icon } from '../shared/icons.tsx'
import { Command } from '../shared/ui.tsx'
import type { Problem } from './model.ts'
import { commandIn } from './model.ts'

export function ProblemNote({ problem }: { problem: Problem }) {
  const command = problem.hint === null ? null : commandIn(problem.hint)
  return (
    <div class="callout tone-bad">
      <Icon name="warning" />
      <div class="callout-body">
        <p>
          <strong>{problem.message}</strong> <code class="small">{problem.code}</code>
        </p>
        {command !== null ? <Command text={command} /> : problem.hint !== null && <p>{problem.hint}</p>}
      </div>
    </div>
  )
}
