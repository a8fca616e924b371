/** Plays a recording, in a terminal that cannot be typed into. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError, goToSignIn } from '../shared/api.ts'
import { Button } from '../shared/ui.tsx'
import type { Cast } from './asciicast.ts'
import { parseCast } from './asciicast.ts'
import { recordingUrl } from './api.ts'
import { createPlayback } from './playback.ts'
import type { Playback } from './playback.ts'
import { ProblemNote } from './problem-panel.tsx'
import { settings } from './settings.ts'
import { strings } from './strings.ts'
import { createTerminalView } from './terminal.ts'
import { useLoaded } from './use-loaded.ts'

const words = strings.player
const SPEEDS = [0.5, 1, 2, 4, 8] as const
const JUMP_SECONDS = 5

async function loadCast(id: string): Promise<Cast> {
  const response = await fetch(recordingUrl(id), { cache: 'no-store' })
  if (response.status === 401) goToSignIn()
  const cast = response.ok ? parseCast(await response.text()) : null
  if (cast === null) {
    throw new ApiError(strings.recordings.broken, { code: `HTTP_${response.status}`, status: response.status })
  }
  return cast
}

export function Player({ id }: { id: string }) {
  const { data, problem } = useLoaded(() => loadCast(id))
  if (problem !== null) return <ProblemNote problem={problem} />
  return data === null ? <p role="status">{strings.recordings.loading}</p> : <Screen cast={data} />
}

const clock = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`

function usePlayback(cast: Cast) {
  const host = useRef<HTMLDivElement>(null)
  const [playback, setPlayback] = useState<Playback | null>(null)
  const [state, setState] = useState({ at: 0, playing: false })
  useEffect(() => {
    let stop = (): void => {}
    let gone = false
    const silent = () => {}
    void createTerminalView(
      { ...settings.value, webgl: false },
      {
        ...{ onInput: silent, onSize: silent, onPaste: silent, onSelect: silent, onLink: silent, onOpen: silent },
        ...{ onClipboard: silent, onBell: silent, onKey: () => false },
      },
    ).then((view) => {
      if (gone || host.current === null) return view.dispose()
      view.apply(settings.value, true)
      view.mount(host.current)
      const made = createPlayback(cast, view.screen, setState)
      stop = () => {
        made.close()
        view.dispose()
      }
      setPlayback(made)
      made.play()
    })
    return () => {
      gone = true
      stop()
    }
  }, [cast])
  return { host, playback, ...state }
}

function Screen({ cast }: { cast: Cast }) {
  const { host, playback, at, playing } = usePlayback(cast)
  const [speed, setSpeed] = useState(1)
  const toggle = (): void => (playing ? playback?.pause() : playback?.play())
  return (
    <div
      class="player"
      onKeyDown={(event) => {
        const jump = event.key === 'ArrowRight' ? JUMP_SECONDS : event.key === 'ArrowLeft' ? -JUMP_SECONDS : null
        if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return
        if (jump !== null) playback?.seek(at + jump)
        else if (event.key === ' ' && !(event.target instanceof HTMLButtonElement)) toggle()
        else return
        event.preventDefault()
      }}
    >
      <div class="player-screen" ref={host} role="img" aria-label={words.screen} />
      <div class="player-bar">
        <Button
          kind="primary"
          icon={playing ? 'pause' : 'start'}
          label={playing ? words.pause : words.play}
          onClick={toggle}
        />
        <input
          class="scrubber"
          type="range"
          min={0}
          max={cast.duration}
          step="any"
          value={at}
          aria-label={words.position}
          aria-valuetext={words.of(clock(at), clock(cast.duration))}
          onInput={(event) => playback?.seek(Number(event.currentTarget.value))}
        />
        <span class="small player-time">{words.of(clock(at), clock(cast.duration))}</span>
        <label>
          <span class="visually-hidden">{words.speed}</span>
          <select
            class="field"
            value={speed}
            onChange={(event) => {
              const chosen = Number(event.currentTarget.value)
              setSpeed(chosen)
              playback?.setSpeed(chosen)
            }}
          >
            {SPEEDS.map((one) => (
              <option key={one} value={one}>
                {words.times(one)}
              </option>
            ))}
          </select>
        </label>
      </div>
    </div>
  )
}
