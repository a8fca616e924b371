/** How terminals look and behave, kept in this browser. */
import { Button } from '../shared/ui.tsx'
import { Frame } from './dialogs-frame.tsx'
import { PALETTE_NAMES } from './palettes.ts'
import type { Settings } from './settings.ts'
import { changeSettings, clampFont, CONTRASTS, settings } from './settings.ts'
import { strings } from './strings.ts'

const words = strings.settings

export function SettingsDialog() {
  const { fontSize, palette, contrast } = settings.value
  return (
    <Frame title={words.title} text={words.kept}>
      <div class="setting" role="group" aria-label={words.fontSize}>
        <span>{words.fontSize}</span>
        <span class="stepper">
          <Button
            label="−"
            name={words.smaller}
            onClick={() => changeSettings({ fontSize: clampFont(fontSize - 1) })}
          />
          <output>{fontSize}</output>
          <Button label="+" name={words.bigger} onClick={() => changeSettings({ fontSize: clampFont(fontSize + 1) })} />
        </span>
      </div>
      <label class="setting">
        <span>{words.palette}</span>
        <select
          class="field"
          value={palette}
          onChange={({ currentTarget: { value } }) =>
            changeSettings({ palette: PALETTE_NAMES.find((name) => name === value) ?? 'page' })
          }
        >
          {PALETTE_NAMES.map((name) => (
            <option key={name} value={name}>
              {words.paletteName(name)}
            </option>
          ))}
        </select>
      </label>
      <label class="setting">
        <span>{words.contrast}</span>
        <select
          class="field"
          value={contrast}
          onChange={(event) => changeSettings({ contrast: Number(event.currentTarget.value) })}
        >
          {CONTRASTS.map((ratio) => (
            <option key={ratio} value={ratio}>
              {words.contrasts[ratio]}
            </option>
          ))}
        </select>
      </label>
      <Switch name="copyOnSelect" />
      <Switch name="screenReader" />
      <Switch name="webgl" />
    </Frame>
  )
}

function Switch({ name }: { name: 'copyOnSelect' | 'screenReader' | 'webgl' }) {
  const change = (on: boolean): void => changeSettings({ [name]: on } satisfies Partial<Settings>)
  return (
    <label class="switch">
      <input type="checkbox" checked={settings.value[name]} onChange={(event) => change(event.currentTarget.checked)} />
      <span>{words[name]}</span>
    </label>
  )
}
