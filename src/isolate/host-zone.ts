/** The time zone and the locale of this process, which V8 gives to every isolate in it. */

/** User space has these, wherever it runs. */
const guests = { timeZone: 'UTC', locale: 'en-US' } as const

let known: { readonly zone: string | undefined; readonly isGuests: boolean } | undefined

/** Whether isolates of this process have UTC and en-US by themselves, as those of cells do; zone.js is for the others. */
export function hasGuestZone(): boolean {
  // An application may change it at any time.
  const zone = process.env.TZ
  if (known?.zone !== zone || known === undefined) {
    const { timeZone, locale } = new Intl.DateTimeFormat().resolvedOptions()
    known = { zone, isGuests: timeZone === guests.timeZone && locale === guests.locale }
  }
  return known.isGuests
}
