/** Profiles: which there are, which counts, and whether agents would start under another one. */
import { useState } from 'preact/hooks'
import { asRecord, listOf, textOr } from '../../shared/api.ts'
import { DataTable } from '../../shared/data.tsx'
import { plainText, shellWord } from '../../shared/format.ts'
import { Badge, Button } from '../../shared/ui.tsx'
import { ask } from '../ask.tsx'
import { perform, useLoad } from '../do.ts'
import { ViewHead } from '../head.tsx'
import { Pane, Section } from '../pane.tsx'
import { strings } from '../strings.ts'
import { words as all } from './manage-strings.ts'

const words = all.profiles
const clean = (value: unknown): string => plainText(textOr(value, ''))

interface Profile {
  readonly name: string
  readonly active: boolean
  readonly declaredBy: string
  readonly usedBy: string
}

const readProfiles = (body: unknown): Profile[] =>
  listOf(body).map((item) => {
    const { profile, active, declaredBy, usedBy } = asRecord(item)
    return { name: textOr(profile, ''), active: active === true, declaredBy: clean(declaredBy), usedBy: clean(usedBy) }
  })

interface Check {
  readonly agent: string
  readonly valid: boolean
  readonly problems: string
}

const readChecks = (body: unknown): Check[] =>
  listOf(body).map((item) => {
    const { agent, valid, problems } = asRecord(item)
    return { agent: clean(agent), valid: valid === true, problems: clean(problems) }
  })

export function View() {
  const loaded = useLoad('api/v1/profiles', readProfiles)
  const [checked, setChecked] = useState<string | null>(null)
  const use = async (name: string): Promise<void> => {
    const label = plainText(name)
    await perform({
      ...{ method: 'PUT', path: 'api/v1/profile', body: { name }, command: `ploinky profile ${shellWord(name)}` },
      ...{ done: words.used(label), failed: words.notUsed(label) },
    })
    // The router reads the file that was written; its own answer comes a moment later.
    setTimeout(() => void loaded.reload(), 300)
  }
  return (
    <>
      <ViewHead title={strings.views.profiles} />
      <Section id="profiles-title" title={words.title} note={words.note}>
        <Pane of={loaded}>
          {(rows) => (
            <DataTable<Profile>
              label={words.title}
              rows={rows}
              keyOf={({ name }) => name}
              columns={[
                {
                  label: words.profile,
                  isHead: true,
                  show: ({ name, active }) => (
                    <>
                      {plainText(name)} {active && <Badge tone="ok">{words.active}</Badge>}
                    </>
                  ),
                },
                { label: words.declaredBy, show: ({ declaredBy }) => declaredBy },
                { label: words.usedBy, show: ({ usedBy }) => usedBy },
                {
                  label: all.actions,
                  isActions: true,
                  show: ({ name, active }) => (
                    <div>
                      <Button
                        label={words.check}
                        name={words.checkOf(plainText(name))}
                        onClick={() => setChecked(name)}
                      />
                      {!active && (
                        <Button
                          label={words.use}
                          name={words.useOf(plainText(name))}
                          onClick={() =>
                            ask({
                              title: words.useTitle(plainText(name)),
                              text: words.useText,
                              command: `ploinky profile ${shellWord(name)}`,
                              label: words.use,
                              run: () => void use(name),
                            })
                          }
                        />
                      )}
                    </div>
                  ),
                },
              ]}
            />
          )}
        </Pane>
      </Section>
      {checked !== null && <Checked key={checked} profile={checked} />}
    </>
  )
}

function Checked({ profile }: { profile: string }) {
  const loaded = useLoad(`api/v1/profiles/${encodeURIComponent(profile)}/check`, readChecks)
  return (
    <Section id="check-title" title={words.checkTitle(plainText(profile))}>
      <Pane of={loaded}>
        {(rows) =>
          rows.length === 0 ? (
            <p class="muted">{words.noAgents}</p>
          ) : (
            <DataTable<Check>
              label={words.checkTitle(plainText(profile))}
              rows={rows}
              keyOf={({ agent }) => agent}
              columns={[
                { label: words.agent, show: ({ agent }) => agent, isHead: true },
                {
                  label: words.result,
                  show: ({ valid }) => <Badge tone={valid ? 'ok' : 'bad'}>{valid ? words.fits : words.fails}</Badge>,
                },
                { label: words.problems, show: ({ problems }) => problems },
              ]}
            />
          )
        }
      </Pane>
    </Section>
  )
}
