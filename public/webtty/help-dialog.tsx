/** The keys of the page. */
import { Frame } from './dialogs-frame.tsx'
import type { Action } from './keys.ts'
import { SHOWN_KEYS } from './keys.ts'
import { strings } from './strings.ts'

export function HelpDialog() {
  const { title, text, action, alsoTab } = strings.help
  return (
    <Frame title={title} text={text}>
      <dl class="keys">
        {Object.entries(SHOWN_KEYS).map(([name, keys]) => (
          <div key={name}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{action(name as Action)}</dd>
          </div>
        ))}
      </dl>
      <p class="muted small">{alsoTab}</p>
    </Frame>
  )
}
