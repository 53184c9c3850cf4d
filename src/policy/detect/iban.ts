/** Account numbers: ISO 13616, with the length of their country and check digits by ISO 7064 mod 97-10. */
import { candidates } from './candidates.ts'
import type { Detector } from './kinds.ts'

/** Units of an IBAN by country, from the registry of SWIFT. */
const lengths = new Map(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ' +
    'ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 ' +
    'LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 ' +
    'PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((it) => [it.slice(0, 2), Number(it.slice(2))] as const),
)

const start = /(?<![A-Za-z0-9])[A-Za-z]{2}[ -]?[0-9]{2}(?=[ -]?[A-Za-z0-9])/g

export const iban: Detector = (text, found) =>
  candidates(text, start, (index) => {
    const end = ibanEnd(text, index)
    if (end !== undefined) found(index, end)
  })

function ibanEnd(text: string, start: number): number | undefined {
  const length = lengths.get(text.slice(start, start + 2).toUpperCase())
  if (length === undefined) return undefined
  let compact = ''
  let index = start
  while (compact.length < length && index < text.length) {
    const unit = text.charAt(index)
    if (/[A-Za-z0-9]/.test(unit)) compact += unit
    else if ((unit !== ' ' && unit !== '-') || !/[A-Za-z0-9]/.test(text.charAt(index + 1))) return undefined
    index += 1
  }
  if (compact.length < length || /[A-Za-z0-9]/.test(text.charAt(index))) return undefined
  return checks(compact) ? index : undefined
}

/** The first four units go to the end, letters count from 10, and what is left of a division by 97 is 1. */
function checks(compact: string): boolean {
  let rest = 0
  for (const unit of (compact.slice(4) + compact.slice(0, 4)).toUpperCase()) {
    const value = Number.parseInt(unit, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest === 1
}
