/** Browsers that are signed in, and the way to sign one out that was left somewhere. */
import { asRecord, listOf, textOr } from '../../shared/api.ts'
import { DataTable } from '../../shared/data.tsx'
import { duration, fullTime, plainText, secondsSince } from '../../shared/format.ts'
import { Badge, Button } from '../../shared/ui.tsx'
import { ask } from '../ask.tsx'
import { perform, useLoad } from '../do.ts'
import { Pane, Section } from '../pane.tsx'
import { now } from '../store.ts'
import { words as all } from './manage-strings.ts'

const words = all.access
/** A browser that was used within this is in use: seconds. */
const NOW_SECONDS = 60

interface Session {
  readonly id: string
  readonly browser: string
  readonly address: string
  readonly openedAt: string
  readonly lastUsedAt: string
  readonly isThis: boolean
}

const readSessions = (body: unknown): Session[] =>
  listOf(body).map((item) => {
    const { session, browser, address, openedAt, lastUsedAt, current } = asRecord(item)
    return {
      id: textOr(session, ''),
      browser: plainText(textOr(browser, '')),
      address: plainText(textOr(address, '')),
      openedAt: textOr(openedAt, ''),
      lastUsedAt: textOr(lastUsedAt, ''),
      isThis: current === true,
    }
  })

export function Sessions() {
  const loaded = useLoad('api/v1/sessions', readSessions, { on: /^session\./ })
  const others = (loaded.data ?? []).filter(({ isThis }) => !isThis).length
  const end = async ({ id, browser }: Session): Promise<void> => {
    await perform({
      ...{ method: 'DELETE', path: `api/v1/sessions?session=${encodeURIComponent(id)}` },
      ...{ done: words.ended(browser), failed: words.notEnded(browser), command: `ploinky session end ${id}` },
    })
    await loaded.reload()
  }
  const endOthers = async (): Promise<void> => {
    await perform({
      ...{ method: 'DELETE', path: 'api/v1/sessions?others=true', command: null },
      ...{ done: words.endedOthers, failed: words.notEndedOthers },
    })
    await loaded.reload()
  }
  return (
    <Section
      id="sessions-title"
      title={words.sessions}
      note={words.sessionsNote}
      tools={
        others > 0 && (
          <Button
            kind="danger"
            label={words.endOthers}
            onClick={() =>
              ask({
                ...{ title: words.endOthersTitle(others), text: words.endText, command: null },
                ...{ label: words.endOthers, run: () => void endOthers() },
              })
            }
          />
        )
      }
    >
      <Pane of={loaded}>
        {(sessions) =>
          sessions.length === 0 ? (
            <p class="muted">{words.noSessions}</p>
          ) : (
            <SessionTable sessions={sessions} onEnd={(session) => void end(session)} />
          )
        }
      </Pane>
    </Section>
  )
}

function SessionTable({ sessions, onEnd }: { sessions: readonly Session[]; onEnd(session: Session): void }) {
  const request = (session: Session): void =>
    ask({
      ...{ title: words.endTitle(session.browser), text: session.isThis ? words.endThisText : words.endText },
      ...{ command: `ploinky session end ${session.id}`, label: words.endSession, icon: 'signOut' as const },
      run: () => onEnd(session),
    })
  return (
    <DataTable<Session>
      label={words.sessions}
      rows={sessions}
      keyOf={({ id }) => id}
      columns={[
        {
          label: words.browser,
          isHead: true,
          show: ({ browser, isThis }) => (
            <>
              {browser} {isThis && <Badge tone="ok">{words.thisOne}</Badge>}
            </>
          ),
        },
        { label: words.address, show: ({ address }) => address },
        { label: words.openedAt, show: ({ openedAt }) => fullTime(openedAt) },
        { label: words.usedAt, show: ({ lastUsedAt }) => <span title={fullTime(lastUsedAt)}>{ago(lastUsedAt)}</span> },
        {
          label: all.actions,
          isActions: true,
          show: (session) => (
            <div>
              <Button
                kind="danger"
                label={words.endSession}
                name={words.endOf(session.browser, session.id)}
                onClick={() => request(session)}
              />
            </div>
          ),
        },
      ]}
    />
  )
}

function ago(iso: string): string {
  const seconds = secondsSince(iso, now.value)
  if (seconds === null) return ''
  return seconds < NOW_SECONDS ? words.justNow : words.ago(duration(seconds))
}
