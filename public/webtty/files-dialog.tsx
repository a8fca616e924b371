/** Files of a terminal's agent; the drawer is loaded when it is opened for the first time. */
import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { FilesDrawerProps } from '../shared/files-drawer.tsx'
import { notify } from './notices.ts'
import { closeDialog, dialog } from './store.ts'
import { strings } from './strings.ts'

type Drawer = ComponentType<FilesDrawerProps>
let loaded: Drawer | null = null

export function FilesDialog({ agent, files }: { agent: string; files: readonly File[] }) {
  const [Loaded, setLoaded] = useState<Drawer | null>(() => loaded)
  useEffect(() => {
    if (loaded !== null) return
    import('../shared/files-drawer.tsx').then(
      ({ FilesDrawer }) => {
        loaded = FilesDrawer
        setLoaded(() => FilesDrawer)
      },
      () => {
        closeDialog()
        notify({ tone: 'bad', title: strings.files.notLoaded })
      },
    )
  }, [])
  // A dialog that gives way to another one says that it closed when the other is open already.
  const closed = (): void => {
    if (dialog.value?.kind === 'files') closeDialog()
  }
  return Loaded === null ? null : <Loaded agent={agent} files={files} onClose={closed} />
}
