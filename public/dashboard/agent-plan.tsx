/** What a start would run, and where each value comes from. */
import { asRecord, listOf, textOr } from '../shared/api.ts'
import { DataTable } from '../shared/data.tsx'
import { plainText, shellWord } from '../shared/format.ts'
import { Breakable, CopyButton } from '../shared/ui.tsx'
import { useLoad } from './do.ts'
import { Pane, Section } from './pane.tsx'
import { words } from './views/agent-strings.ts'

const clean = (value: unknown): string => plainText(textOr(value, ''))

interface PlanRow {
  readonly what: string
  readonly value: string
  readonly from: string
}

function readPlan(body: unknown): PlanRow[] {
  const plan = asRecord(body)
  const { image, command, ports, network, env, mounts, hooks } = plan
  const row = (what: string, item: unknown): PlanRow => {
    const { value, from } = asRecord(item)
    const text = typeof value === 'string' ? value : value === null || value === undefined ? '' : JSON.stringify(value)
    return { what, value: plainText(text), from: clean(from) }
  }
  return [
    row(words.image, image),
    row('Command', command),
    row('Ports', ports),
    row('Network', network),
    ...listOf(mounts).map((item) => {
      const { source, target, mode, from } = asRecord(item)
      return { what: `${words.mounts} ${clean(target)}`, value: `${clean(source)} (${clean(mode)})`, from: clean(from) }
    }),
    ...listOf(env).map((item) => {
      const { name, value, from } = asRecord(item)
      return { what: clean(name), value: value === null ? words.secret : clean(value), from: clean(from) }
    }),
    ...listOf(hooks).map((item) => {
      const { name, where, line, from } = asRecord(item)
      return { what: clean(name), value: `${clean(line)} (${clean(where)})`, from: clean(from) }
    }),
  ]
}

export function AgentPlan({ agent }: { agent: string }) {
  const loaded = useLoad(`api/v1/agents/${encodeURIComponent(agent)}/plan`, readPlan)
  return (
    <Section
      id="plan-title"
      title={words.plan}
      note={words.planNote}
      tools={<CopyButton text={`ploinky plan ${shellWord(agent)}`} name={`ploinky plan ${plainText(agent)}`} />}
    >
      <Pane of={loaded}>
        {(rows) => (
          <DataTable<PlanRow>
            label={words.plan}
            rows={rows}
            keyOf={({ what }, index) => `${index} ${what}`}
            columns={[
              { label: words.what, show: ({ what }) => <Breakable text={what} />, isHead: true },
              { label: words.value, show: ({ value }) => <code class="small">{value}</code> },
              { label: words.from, show: ({ from }) => <span class="muted small">{from}</span> },
            ]}
          />
        )}
      </Pane>
    </Section>
  )
}
