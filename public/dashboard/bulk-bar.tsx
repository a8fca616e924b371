/** Above the list of agents: choosing, what can be done to the chosen ones, how far it is, and what came of it. */
import { plainText } from '../shared/format.ts'
import { Icon } from '../shared/icons.tsx'
import type { IconName } from '../shared/icons.tsx'
import { Button } from '../shared/ui.tsx'
import type { Bulk, BulkItem } from './bulk-model.ts'
import { BULK_ACTIONS } from './bulk-model.ts'
import { bulk, chosenAgents, fitting, isRunning, requestBulk, selectAll, stopAfterThis } from './bulk.ts'
import { words } from './bulk-strings.ts'
import { showKeys } from './list-keys.tsx'
import { isCompact, setCompact } from './list-settings.ts'
import { shownAgents } from './store.ts'

const ICONS = { start: 'start', stop: 'stopped', restart: 'restart', disable: 'remove' } as const
const STEP_ICONS: Record<BulkItem['step'], IconName> = {
  waiting: 'pause',
  running: 'starting',
  done: 'check',
  failed: 'failed',
  left: 'disabled',
}

export function ListBar() {
  const [count, all] = [chosenAgents().length, shownAgents.value.length]
  const density = isCompact.value ? words.density.compact : words.density.comfortable
  return (
    <>
      <div class="list-bar" role="toolbar" aria-label={words.label}>
        <label class="check">
          <input
            type="checkbox"
            checked={count > 0 && count === all}
            indeterminate={count > 0 && count < all}
            onChange={({ currentTarget }) => selectAll(currentTarget.checked)}
          />
          <span>{count === 0 ? words.all : words.chosen(count)}</span>
        </label>
        {count > 0 && <Actions />}
        <span class="list-tools">
          <Button
            iconOnly
            kind="quiet"
            icon={isCompact.value ? 'menu' : 'logs'}
            label={density}
            onClick={() => setCompact(!isCompact.value)}
          />
          <Button iconOnly kind="quiet" icon="keyboard" label={words.keys.open} onClick={showKeys} />
        </span>
      </div>
      <span class="visually-hidden" role="status">
        {count === 0 ? '' : words.chosen(count)}
      </span>
    </>
  )
}

/** Beside the bar: when the last agents were disabled there is no list any more, and still an outcome. */
export const BulkResults = () => (bulk.value === null ? null : <Results of={bulk.value} />)

function Actions() {
  return (
    <span class="list-actions">
      {BULK_ACTIONS.map((action) => {
        const names = fitting(action)
        if (names.length === 0) return null
        return (
          <Button
            key={action}
            icon={ICONS[action]}
            {...(action === 'disable' ? { kind: 'danger' as const } : {})}
            label={words.action[action]}
            name={words.doAll(action, names.length)}
            busy={isRunning()}
            onClick={() => requestBulk(action)}
          />
        )
      })}
      <Button iconOnly kind="quiet" icon="close" label={words.clear} onClick={() => selectAll(false)} />
    </span>
  )
}

function Results({ of: { action, items } }: { of: Bulk }) {
  const count = (step: BulkItem['step']): number => items.filter((item) => item.step === step).length
  const [done, failed, left] = [count('done'), count('failed'), count('left')]
  const isOver = done + failed + left === items.length
  const told = isOver
    ? words.outcome(action, { done, failed, left })
    : words.progress(action, done + failed, items.length)
  return (
    <section class={`card panel bulk ${failed > 0 ? 'tone-bad' : isOver ? 'tone-ok' : 'tone-info'}`} aria-label={told}>
      <div class="section-head">
        <strong role="status">{told}</strong>
        {isOver ? (
          <Button iconOnly kind="quiet" icon="close" label={words.close} onClick={() => (bulk.value = null)} />
        ) : (
          <Button label={words.stopAfter} onClick={stopAfterThis} />
        )}
      </div>
      <progress max={items.length} value={done + failed + left} aria-label={told} />
      <ul>
        {items.map((item) => (
          <li key={item.name} class={item.step} data-bulk={item.name}>
            <Icon name={STEP_ICONS[item.step]} spin={item.step === 'running'} />
            <span>
              <strong>{plainText(item.name)}</strong> {words.step(action, item.step)}
              {item.problem !== null && (
                <>
                  {': '}
                  {item.problem.message} <code class="small">{item.problem.code}</code>
                  {item.problem.hint !== null && <span class="muted"> {item.problem.hint}</span>}
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}
