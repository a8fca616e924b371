/** Which dialog is open, and the short ones. */
import { useState } from 'preact/hooks'
import { shellWord } from '../shared/format.ts'
import { Button, Command } from '../shared/ui.tsx'
import { Frame } from './dialogs-frame.tsx'
import { FilesDialog } from './files-dialog.tsx'
import { HelpDialog } from './help-dialog.tsx'
import { NameField } from './name-field.tsx'
import type { Paste } from './paste.ts'
import { previewOf } from './paste.ts'
import { Picker } from './picker.tsx'
import { PlayerDialog, RecordingsDialog } from './recordings.tsx'
import { SessionsDialog } from './sessions-dialog.tsx'
import { SettingsDialog } from './settings-dialog.tsx'
import { ShareDialog } from './share-dialog.tsx'
import type { TtySession } from './session.ts'
import { closeDialog, dialog, nameOf } from './store.ts'
import { strings } from './strings.ts'

export function Dialogs() {
  const view = dialog.value
  switch (view?.kind) {
    case undefined:
      return null
    case 'paste':
      return <PasteDialog paste={view.paste} proceed={view.proceed} />
    case 'picker':
      return (
        <Frame title={strings.picker.title} text={strings.picker.text}>
          <Picker onOpened={closeDialog} />
        </Frame>
      )
    case 'sessions':
      return <SessionsDialog />
    case 'settings':
      return <SettingsDialog />
    case 'help':
      return <HelpDialog />
    case 'recordings':
      return <RecordingsDialog />
    case 'player':
      return <PlayerDialog id={view.id} name={view.name} />
    case 'files':
      return <FilesDialog agent={view.agent} files={view.files} />
    case 'rename':
      return <RenameDialog session={view.session} />
    case 'share':
      return <ShareDialog session={view.session} />
    case 'end':
      return <EndDialog session={view.session} />
    case 'commands':
      return <CommandsDialog session={view.session} />
  }
}

function PasteDialog({ paste, proceed }: { paste: Paste; proceed(): void }) {
  const { title, text, large, go } = strings.paste
  const size = new Intl.NumberFormat('en', { style: 'unit', unit: 'kilobyte', maximumFractionDigits: 0 })
  return (
    <Frame
      title={title(paste.lines)}
      text={paste.lines > 1 ? text : large(size.format(paste.text.length / 1000))}
      actions={
        <>
          <Button label={strings.cancel} first onClick={closeDialog} />
          <Button
            kind="primary"
            label={go}
            onClick={() => {
              closeDialog()
              proceed()
            }}
          />
        </>
      }
    >
      <pre class="paste-preview" tabIndex={0}>
        {previewOf(paste)}
      </pre>
    </Frame>
  )
}

function RenameDialog({ session }: { session: TtySession }) {
  const [name, setName] = useState(session.view.value?.name ?? '')
  const save = (): void => {
    session.rename(name.trim())
    closeDialog()
  }
  return (
    <Frame
      title={strings.sessions.renameOf(nameOf(session))}
      actions={
        <>
          <Button label={strings.cancel} onClick={closeDialog} />
          <Button kind="primary" label={strings.sessions.save} onClick={save} />
        </>
      }
    >
      <NameField name={name} onInput={setName} onEnter={save} />
    </Frame>
  )
}

function EndDialog({ session }: { session: TtySession }) {
  const { title, text, go } = strings.end
  return (
    <Frame
      title={title(nameOf(session))}
      text={text}
      actions={
        <>
          <Button label={strings.cancel} first onClick={closeDialog} />
          <Button
            kind="danger"
            icon="stopped"
            label={go}
            onClick={() => {
              closeDialog()
              session.end()
            }}
          />
        </>
      }
    >
      {null}
    </Frame>
  )
}

function CommandsDialog({ session }: { session: TtySession }) {
  const { title, text, join, shell } = strings.commands
  const id = session.id.value
  return (
    <Frame title={title} text={text}>
      {id !== null && (
        <div class="stack">
          <span class="small">{join}</span>
          <Command text={`ploinky attach ${shellWord(id)}`} />
        </div>
      )}
      <div class="stack">
        <span class="small">{shell}</span>
        <Command text={`ploinky shell ${shellWord(session.agent)}`} />
      </div>
    </Frame>
  )
}
