/** What git says when it fails, as an error with a next step. Never with credentials: a server may send git to an address with some. */
import { PloinkyError, type ErrorCode } from '../../core/error.ts'
import { withoutCredentials, type Source } from './source.ts'

interface Meaning {
  readonly says: RegExp
  readonly code: ErrorCode
  readonly problem: (place: Place) => string
  readonly hint: (place: Place) => string
}

interface Place {
  readonly source: Source
  readonly branch: string | null
}

const LS = ({ source }: Place): string => `git ls-remote ${source.location}`

const MEANINGS: readonly Meaning[] = [
  {
    says: /Remote branch .* not found|couldn't find remote ref/,
    code: 'REPO_NOT_FOUND',
    problem: ({ source, branch }) => `No branch or tag "${branch ?? 'HEAD'}" in ${source.location}`,
    hint: (place) => `See which there are: ${LS(place)}`,
  },
  {
    says: /could not read (?:Username|Password)|Authentication failed|terminal prompts disabled|Permission denied|Host key verification failed|error: 40[13]/,
    code: 'REPO_UNAVAILABLE',
    problem: ({ source }) => `Not permitted to read ${source.location}`,
    hint: (place) => `Let git sign in without a question (credential helper, ssh agent); try: ${LS(place)}`,
  },
  {
    says: /repository .*not found|does not appear to be a git repository|does not exist|error: 404|Repository not found/i,
    code: 'REPO_NOT_FOUND',
    problem: ({ source }) => `No repository at ${source.location}`,
    hint: (place) => `Check the address: ${LS(place)}`,
  },
  {
    says: /Could not resolve|Failed to connect|Couldn't connect|timed out|Connection refused|unable to access|Network is unreachable|Operation too slow/i,
    code: 'REPO_UNAVAILABLE',
    problem: ({ source }) => `Cannot reach ${source.location}`,
    hint: () => 'Check the network, or add it from a folder or an archive: ploinky add repo NAME FOLDER',
  },
  {
    says: /the repository is empty/,
    code: 'REPO_UNAVAILABLE',
    problem: ({ source }) => `No commit yet in ${source.location}`,
    hint: () => 'Commit something there first: git commit',
  },
]

export function gitFailure(said: readonly string[], place: Place): PloinkyError {
  const text = said.map(withoutCredentials)
  const reason = (
    text.findLast((line) => /^(?:fatal|error|remote: error|ssh):/i.test(line)) ??
    text.at(-1) ??
    'no reason given'
  )
    .replace(/^fatal: /, '')
    .slice(0, 300)
  const meaning = MEANINGS.find(({ says }) => text.some((line) => says.test(line)))
  const details = { source: place.source.location, reason }
  if (meaning === undefined) {
    return new PloinkyError('REPO_UNAVAILABLE', `Cannot fetch ${place.source.location}: ${reason}`, {
      hint: `Try it by hand: ${LS(place)}`,
      details,
    })
  }
  const problem = meaning.problem(place)
  const message =
    meaning.code === 'REPO_UNAVAILABLE' && !problem.startsWith('No commit') ? `${problem}: ${reason}` : problem
  return new PloinkyError(meaning.code, message, { hint: meaning.hint(place), details })
}
