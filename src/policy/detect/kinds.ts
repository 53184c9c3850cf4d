/** The kinds of data that a rule can look for, and a text that holds each. */

export const dataKinds = ['email', 'phone', 'card', 'iban', 'national-id', 'secret'] as const
export type DataKind = (typeof dataKinds)[number]

/** Where a text holds data of a kind, in UTF-16 units. */
export interface Span {
  readonly start: number
  readonly end: number
  readonly kind: DataKind
}

/** Called for each place that a detector finds. */
export type Found = (start: number, end: number) => void

/**
 * Finds one kind of data in a folded text. Its time grows with the text's length and with nothing else, whatever the text:
 * repetitions of its patterns are bounded, and no place is the start of more than one bounded attempt.
 */
export type Detector = (text: string, found: Found) => void

/** Public test numbers and published examples: what a policy is tried with where no call is there. */
export const samples: Readonly<Record<DataKind, string>> = {
  email: 'jane.doe@example.org',
  phone: '+44 20 7946 0958',
  card: '4111 1111 1111 1111',
  iban: 'GB29 NWBK 6016 1331 9268 19',
  'national-id': '078-05-1120',
  secret: 'password = "correct7horse8battery9"',
}
