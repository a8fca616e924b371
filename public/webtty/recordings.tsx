/** What was recorded: to play, to keep, to delete; and the button that records. */
import { useEffect, useState } from 'preact/hooks'
import { fullTime } from '../shared/format.ts'
import { Icon } from '../shared/icons.tsx'
import { Button } from '../shared/ui.tsx'
import type { Recording } from './api.ts'
import { listRecordings, recordingUrl, removeRecording } from './api.ts'
import { Frame } from './dialogs-frame.tsx'
import { notifyFailure } from './notices.ts'
import { ProblemNote } from './problem-panel.tsx'
import { dialog, focusedSession } from './store.ts'
import { strings } from './strings.ts'
import { useLoaded } from './use-loaded.ts'

const words = strings.recordings

export function RecordingsDialog() {
  const { data, problem, reload } = useLoaded(listRecordings)
  async function remove({ id, name }: Recording): Promise<void> {
    try {
      await removeRecording(id)
    } catch (error) {
      notifyFailure(error, words.removeOf(name).toLowerCase())
    }
    reload()
  }
  return (
    <Frame wide title={words.title} text={words.text}>
      <RecordButton onChanged={reload} />
      {problem !== null && <ProblemNote problem={problem} />}
      {data === null && problem === null && <p role="status">{words.loading}</p>}
      {data?.length === 0 && <p>{words.empty}</p>}
      {data !== null && data.length > 0 && (
        <ul class="rows">
          {data.map((one) => (
            <li key={one.id} class="row" data-row={one.id}>
              <Row recording={one} remove={() => void remove(one)} />
            </li>
          ))}
        </ul>
      )}
    </Frame>
  )
}

function RecordButton({ onChanged }: { onChanged(): void }) {
  const session = focusedSession.value
  const isOn = session?.view.value?.recording === true
  useEffect(onChanged, [isOn])
  if (session === null || session.role.value !== 'owner' || session.connection.value.kind !== 'open') return null
  return (
    <div>
      <Button
        icon={isOn ? 'stopped' : 'record'}
        {...(isOn ? { kind: 'danger' as const } : {})}
        label={isOn ? words.stop : words.start}
        onClick={() => session.record(!isOn)}
      />
    </div>
  )
}

function Row({ recording, remove }: { recording: Recording; remove(): void }) {
  const { id, name, command, startedAt, bytes } = recording
  const size = new Intl.NumberFormat('en', { style: 'unit', unit: 'kilobyte', maximumFractionDigits: 1 })
  return (
    <>
      <div class="stack row-text">
        <span class="row-name">{name}</span>
        <span class="muted small">{[command, fullTime(startedAt), size.format(bytes / 1000)].join(' · ')}</span>
      </div>
      <div class="row-buttons">
        <Button
          kind="primary"
          icon="start"
          label={words.play}
          name={words.playOf(name)}
          onClick={() => {
            dialog.value = { kind: 'player', id, name }
          }}
        />
        <a
          class="button quiet icon-only"
          href={recordingUrl(id)}
          download={`${id}.cast`}
          aria-label={words.downloadOf(name)}
          title={words.downloadOf(name)}
        >
          <Icon name="download" />
        </a>
        <Button iconOnly kind="quiet" icon="remove" label={words.removeOf(name)} onClick={remove} />
      </div>
    </>
  )
}

type PlayerModule = typeof import('./player.tsx')

/** The player is loaded when somebody plays something. */
export function PlayerDialog({ id, name }: { id: string; name: string }) {
  const [player, setPlayer] = useState<PlayerModule | null>(null)
  useEffect(() => void import('./player.tsx').then(setPlayer), [])
  return (
    <Frame wide title={strings.player.title(name)} text={strings.player.keys}>
      {player !== null && <player.Player id={id} />}
    </Frame>
  )
}
