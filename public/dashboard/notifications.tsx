/** Notices: the newest for a moment in a corner, all of this visit behind the bell. */
import { signal } from '@preact/signals'
import { clockTime } from '../shared/format.ts'
import { Icon } from '../shared/icons.tsx'
import { Button, Command, Dialog } from '../shared/ui.tsx'
import { dismiss, noticeLog, notices, unread } from './store.ts'
import type { Notice } from './store.ts'
import { strings } from './strings.ts'

const words = strings.notifications
const open = signal(false)

export function BellButton() {
  const count = unread.value
  return (
    <span class="bell">
      <Button
        iconOnly
        kind="quiet"
        icon="bell"
        label={count === 0 ? words.open : words.openNew(count)}
        onClick={() => {
          unread.value = 0
          open.value = true
        }}
      />
      {count > 0 && (
        <span class="bell-count" aria-hidden="true">
          {count > 9 ? '9+' : count}
        </span>
      )}
    </span>
  )
}

export function NotificationsDrawer() {
  if (!open.value) return null
  const close = (): void => {
    open.value = false
  }
  const all = noticeLog.value
  return (
    <Dialog class="drawer narrow" labelledBy="notifications-title" onClose={close}>
      <div class="drawer-head">
        <h2 id="notifications-title">{words.title}</h2>
        <Button iconOnly kind="quiet" icon="close" label={words.close} onClick={close} />
      </div>
      {all.length === 0 && <p class="muted">{words.empty}</p>}
      <ol class="notice-log">
        {all.map((notice) => (
          <li key={notice.id}>
            <NoticeBox notice={notice} />
          </li>
        ))}
      </ol>
      {all.length > 0 && (
        <div class="drawer-foot">
          <Button
            icon="remove"
            label={words.clear}
            onClick={() => {
              noticeLog.value = []
            }}
          />
        </div>
      )}
    </Dialog>
  )
}

/** Both regions exist from the start: a live region that appears together with its text is not read out. */
export function Notices() {
  const isGood = ({ tone }: Notice): boolean => tone === 'ok'
  const show = (notice: Notice) => <NoticeBox key={notice.id} notice={notice} isToast />
  return (
    <div class="notices no-print">
      <div role="alert">{notices.value.filter((notice) => !isGood(notice)).map(show)}</div>
      <div role="status">{notices.value.filter(isGood).map(show)}</div>
    </div>
  )
}

function NoticeBox({ notice, isToast }: { notice: Notice; isToast?: boolean }) {
  return (
    <div class={`callout ${isToast === true ? 'notice' : ''} tone-${notice.tone}`}>
      <Icon name={notice.tone === 'ok' ? 'check' : 'warning'} />
      <div class="callout-body">
        <p>
          {isToast !== true && <time class="muted small">{clockTime(notice.at)} </time>}
          <strong>{notice.title}</strong> {notice.code !== null && <code class="small">{notice.code}</code>}
        </p>
        {notice.text !== null && <p>{notice.text}</p>}
        {notice.command !== null && (
          <>
            <p class="small">{notice.tone === 'ok' ? strings.sameAs : strings.next}</p>
            <Command text={notice.command} />
          </>
        )}
      </div>
      {isToast === true && (
        <Button
          iconOnly
          kind="quiet"
          icon="close"
          label={strings.dismiss}
          name={strings.dismissOf(notice.title)}
          onClick={() => dismiss(notice.id)}
        />
      )}
    </div>
  )
}
