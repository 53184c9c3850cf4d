/** Numbers of telephones: E.164 with its country codes, and the national forms that people write. */
import { candidates, digitsOf, named } from './candidates.ts'
import type { Detector } from './kinds.ts'

/** Country codes that ITU-T has assigned (E.164, list of assigned codes). */
const countryCodes = new Set(
  (
    '1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 ' +
    '90 91 92 93 94 95 98 211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236 237 ' +
    '238 239 240 241 242 243 244 245 246 247 248 249 250 251 252 253 254 255 256 257 258 260 261 262 263 264 265 266 ' +
    '267 268 269 290 291 297 298 299 350 351 352 353 354 355 356 357 358 359 370 371 372 373 374 375 376 377 378 379 ' +
    '380 381 382 383 385 386 387 389 420 421 423 500 501 502 503 504 505 506 507 508 509 590 591 592 593 594 595 596 ' +
    '597 598 599 670 672 673 674 675 676 677 678 679 680 681 682 683 685 686 687 688 689 690 691 692 800 808 850 852 ' +
    '853 855 856 870 878 880 881 882 883 886 888 960 961 962 963 964 965 966 967 968 970 971 972 973 974 975 976 977 ' +
    '979 992 993 994 995 996 998'
  ).split(' '),
)

/** `+44 20 7946 0958`, `+1 (212) 555-0123`. */
const international = /(?<![\d+])\+ ?\(?[1-9](?:[ .\-/()]{0,2}\d){6,14}(?!\d)/g
/** `0044 20 7946 0958`: zeros before a number that is written in one are too often mere zeros. */
const dialled = /(?<![\w.,+\-/])00 ?[1-9]\d{0,2}[ .\-/()]{1,2}\d(?:[ .\-/()]{0,2}\d){5,12}(?!\d)/g
/** `(212) 555-0123`, `212-555-0123`. */
const american =
  /(?<![\d.+\-/])(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}(?![\d-]|\.\d)/g
/** `020 7946 0958`, `(030) 123456-78`, `01 23 45 67 89`: a zero, and digits in groups. */
const national = /(?<![\w.,+\-/])\(?0[1-9](?:[ .\-/()]{0,2}\d){7,10}(?!\d)/g
/** In one, a number is one of a telephone only where a word says so. */
const bare = /(?<!\d)[0-9]{9,12}(?!\d)/g

const words =
  /\b(?:tel|telephone|phone|mobile|cell|call|fax|sms|whatsapp|telefon|handy|t[ée]l[ée]phone|m[óo]vil)/i
const date = /^\(?0\d[ .\-/][0-3]\d[ .\-/](?:19|20)\d\d/
/** Written as a number of social security is. */
const ssn = /^\d{3}-\d{2}-\d{4}$/
const groups = /\d[ .\-/()]{1,2}\d/

export const phone: Detector = (text, found) => {
  if (text.includes('+')) candidates(text, international, found, ([it]) => isAssigned(digitsOf(it)))
  candidates(text, dialled, found, ([it]) => isAssigned(digitsOf(it).slice(2)))
  candidates(text, american, found)
  candidates(text, national, found, ([it]) => groups.test(it) && !date.test(it) && !ssn.test(it))
  candidates(text, bare, found, ({ index }) => named(text, index, words))
}

const isAssigned = (digits: string): boolean =>
  digits.length <= 15 && [1, 2, 3].some((length) => countryCodes.has(digits.slice(0, length)))
