/** A misspelt word is answered with the one that was meant. */
import { distance } from 'fastest-levenshtein'

/** Words further apart than a third of their letters are not each other's misspelling. */
const lettersPerMistake = 3

/**
 * @param word what was found
 * @param candidates the words there are
 * @returns `; did you mean …?` in the way messages end, or nothing where no candidate is near
 */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  let nearest: string | undefined
  let least = Math.ceil(word.length / lettersPerMistake) + 1
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= least) continue
    const mistakes = distance(word.toLowerCase(), candidate.toLowerCase())
    if (mistakes >= least) continue
    nearest = candidate
    least = mistakes
  }
  return nearest === undefined ? '' : `; did you mean \`${nearest}\`?`
}
