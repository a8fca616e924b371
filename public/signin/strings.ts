/** Every word of this page that is not in its HTML. */
export const strings = {
  next: (path: string) => `You go on to ${path}`,
  ended: 'You were signed out: the session of this browser was ended, or it has expired.',
  wrong: 'This token is not valid. Copy it again: it is one line, without spaces.',
  empty: 'Paste the operator token first.',
  tooMany: 'Too many wrong tries. Wait a minute, then try again.',
  elsewhere: 'The router refused this address. Open the one that is printed by: ploinky open',
  unreachable: 'The router cannot be reached. Check that it runs: ploinky status',
  failed: (status: number) => `The router answered with status ${status}. Look at its log: ploinky logs router`,
} as const
