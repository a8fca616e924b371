/** Notices in the corner, and the region that screen readers listen to. */
import { plainText } from '../shared/format.ts'
import { Icon } from '../shared/icons.tsx'
import { Button } from '../shared/ui.tsx'
import type { Notice } from './notices.ts'
import { announcement, dismiss, notices } from './notices.ts'
import { strings } from './strings.ts'

const ICONS = { ok: 'check', info: 'info', bad: 'warning' } as const

export function Notices() {
  return (
    <>
      <p class="visually-hidden" role="status">
        {announcement.value}
      </p>
      <div class="notices" data-region={notices.value.length > 0 ? 'notices' : undefined}>
        {notices.value.map((notice) => (
          <NoticeView key={notice.id} notice={notice} />
        ))}
      </div>
    </>
  )
}

function NoticeView({ notice }: { notice: Notice }) {
  const { tone, title, text, code, buttons = [] } = notice
  return (
    <div class={`notice callout tone-${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      <Icon name={ICONS[tone]} />
      <div class="callout-body">
        <p>
          <strong>{plainText(title)}</strong> {code !== undefined && <code class="small">{code}</code>}
        </p>
        {text != null && text !== '' && <p class="notice-text">{plainText(text)}</p>}
        {buttons.length > 0 && (
          <div class="notice-buttons">
            {buttons.map(({ label, primary, onClick }) => (
              <Button key={label} label={label} {...(primary === true ? { kind: 'primary' } : {})} onClick={onClick} />
            ))}
          </div>
        )}
      </div>
      {buttons.length === 0 && (
        <Button iconOnly kind="quiet" icon="close" label={strings.dismiss} onClick={() => dismiss(notice.id)} />
      )}
    </div>
  )
}
