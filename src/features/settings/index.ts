/** Settings of a workspace: what holds, where it comes from, and changing it. */
import { basename } from 'node:path'
import { configDocument } from '../../config/documents.ts'
import type { WorkspacePaths } from '../../config/paths.ts'
import {
  assertSettingName,
  type Explained,
  explainSettings,
  parseSetting,
  SETTINGS,
  type SettingName,
  type SettingValue,
} from '../../config/settings.ts'
import type { Store } from '../../core/store.ts'
import type { FileSystem } from '../../platform/index.ts'

export interface SettingsPlace {
  readonly fs: FileSystem
  readonly paths: WorkspacePaths
  readonly store: Store
}

export interface SettingsOrigins {
  readonly flags: Partial<Record<SettingName, SettingValue>>
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Flags, then the environment, then the workspace, then defaults. */
export async function loadSettings(
  { fs, paths, store }: SettingsPlace,
  origins: SettingsOrigins,
): Promise<Explained[]> {
  const [config, profile] = await Promise.all([store.read(configDocument), fs.readText(paths.profile)])
  const stored = profile === null ? {} : { profile: profile.trim() }
  return explainSettings({ ...origins, workspace: { ...config.settings, ...stored } })
}

/** Writes to the workspace; null removes. */
export async function changeSetting(
  { fs, paths, store }: SettingsPlace,
  name: string,
  value: SettingValue | null,
): Promise<Explained> {
  const setting = assertSettingName(name)
  const file = setting === 'profile' ? basename(paths.profile) : 'config.json'
  const checked = value === null ? null : parseSetting(setting, value, `ploinky config ${setting}`)
  await fs.mkdir(paths.running)
  if (setting === 'profile') {
    if (checked === null) await fs.remove(paths.profile)
    else await fs.writeAtomic(paths.profile, `${String(checked)}\n`)
  } else {
    await store.update(configDocument, ({ settings }) => {
      const { [setting]: _old, ...others } = settings
      return { settings: checked === null ? others : { ...others, [setting]: checked } }
    })
  }
  const summary = SETTINGS[setting].summary
  return checked === null
    ? { name: setting, value: SETTINGS[setting].default, source: 'default', from: 'default', summary }
    : { name: setting, value: checked, source: 'workspace', from: `.ploinky/${file}`, summary }
}
