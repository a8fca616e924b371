import { ViewHead } from '../head.tsx'
import { strings } from '../strings.ts'

export function View() {
  return <ViewHead title={strings.views.variables} />
}
