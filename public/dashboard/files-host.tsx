/** Opens the drawer with the files of an agent; its code is loaded when it is opened for the first time. */
import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { FilesDrawerProps } from '../shared/files-drawer.tsx'
import { asApiError, filesOf, notify } from './store.ts'
import { strings } from './strings.ts'

export function FilesHost() {
  const [Drawer, setDrawer] = useState<ComponentType<FilesDrawerProps> | null>(null)
  const agent = filesOf.value
  const close = (): void => {
    filesOf.value = null
  }
  useEffect(() => {
    if (agent === null || Drawer !== null) return
    import('../shared/files-drawer.tsx').then(
      (loaded) => setDrawer(() => loaded.FilesDrawer),
      (error: unknown) => {
        close()
        const { message, code } = asApiError(error)
        notify({ tone: 'bad', title: strings.notLoaded.text, text: message, code, command: null })
      },
    )
  }, [agent, Drawer])
  return agent === null || Drawer === null ? null : <Drawer key={agent} agent={agent} onClose={close} />
}
