import { describe, expect, it } from 'vitest'
import { withBuiltins } from '../../src/cli/builtin.ts'
import { describeHelp, renderHelp } from '../../src/cli/help.ts'
import { displayWidth } from '../../src/cli/text.ts'
import { fakeTable } from '../helpers/cli-table.ts'

const commands = withBuiltins(fakeTable, { version: '1.2.3' })
const plain = { color: false, columns: 80 }

function help(words: string[], view = plain): string {
  const doc = describeHelp(commands, words)
  if (doc === null) throw new Error('no such topic')
  return renderHelp(doc, view)
}

describe('renderHelp()', () => {
  it('shows all commands by group', () => {
    expect(help([])).toMatchInlineSnapshot(`
      "Usage: ploinky <command> [arguments] [options]

      Workspace
        init          Make this folder a workspace
        start         Start the router and the enabled agents, and wait until each is
                      ready or failed
        destroy       Remove all containers of this workspace
        stop          Stop agents

      Agents
        list agents   List the agents
        list repos    List the repositories
        enable agent  Enable an agent
        grant         Give an agent rights

      Use an agent
        logs          Show the logs of an agent or the router
        cli           Talk to an agent
        exec          Run a program in an agent

      Router
        token         Print the operator token
        token rotate  Replace the operator token
        fail          Fail

      Help
        help          Show all commands, or one with its options and examples
        version       Show the version
        completion    Print the completion script of a shell

      Options of every command
            --json           Print data as JSON (streams: one object a line)
            --workspace DIR  Use the workspace in this folder
        -y, --yes            Answer yes to every question
        -q, --quiet          No progress lines
        -d, --debug          Log what happens, in detail
            --no-color       No colours (also: NO_COLOR=1)
        -h, --help           Show help
        -V, --version        Show the version

      Run "ploinky help <command>" for its options and examples. "ploinky" alone opens
      a prompt."
    `)
  })

  it('shows one command', () => {
    expect(help(['start'])).toMatchInlineSnapshot(`
      "Usage: ploinky start [agent] [port] [options]

      Start the router and the enabled agents, and wait until each is ready or failed

      Arguments
        agent  Name of the agent
        port   Port of the router, default 8088 (1..65535; also --port)

      Options
            --runtime RUNTIME  Where agents run (auto, docker, podman, host)
        -F, --foreground       Keep the router in the foreground
            --wait-seconds N   Longest wait for readiness in seconds (0..3600)

      Examples
        ploinky start demo
            Enables and starts the demo agent
        ploinky start --runtime host --wait-seconds 30
            Starts on this machine, without containers

      Every command also takes --json, --workspace, --yes, --quiet, --debug,
      --no-color, --help"
    `)
    expect(help(['exec'])).toMatchInlineSnapshot(`
      "Usage: ploinky exec [options] <agent> -- <command...>

      Run a program in an agent

      Arguments
        agent    Name of the agent
        command  Program and its arguments

      Options
        -w, --workdir DIR  Working folder

      Every command also takes --json, --workspace, --yes, --quiet, --debug,
      --no-color, --help"
    `)
    expect(help(['clean'])).toMatchInlineSnapshot(`
      "Usage: ploinky destroy

      Remove all containers of this workspace

      Also: ploinky clean

      Every command also takes --json, --workspace, --yes, --quiet, --debug,
      --no-color, --help"
    `)
  })

  it('shows the commands of a first word', () => {
    expect(help(['list'])).toMatchInlineSnapshot(`
      "  list agents  List the agents
        list repos   List the repositories

      Run "ploinky help <command>" for its options and examples"
    `)
  })

  it('fits the terminal', () => {
    for (const columns of [40, 60, 80, 200]) {
      for (const topic of [[], ...commands.map(({ name }) => name.split(' '))]) {
        const text = help(topic, { color: true, columns })
        for (const line of text.split('\n')) {
          // Usage lines and examples are kept whole, so that they can be copied.
          if (/Usage:|^ {2}ploinky |^ {2}-/.test(line)) continue
          expect(displayWidth(line), line).toBeLessThanOrEqual(Math.min(columns, 100))
        }
      }
    }
  })

  it('knows no hidden commands and no unknown topics', () => {
    expect(help([])).not.toContain('__complete')
    expect(describeHelp(commands, ['lists'])).toBeNull()
  })

  it('colours headings only when asked', () => {
    expect(help([])).not.toContain('\u001b')
    expect(help([], { color: true, columns: 80 })).toContain('\u001b[1mWorkspace\u001b[22m')
  })
})
