/** Attacks of the corpus in `inline` isolation. */
import { corpusTests } from '../support/corpus-tests.ts'
import { families } from './families.ts'

corpusTests('inline', families)
