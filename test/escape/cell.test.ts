/** Attacks of the corpus in `cell` isolation. */
import { corpusTests } from '../support/corpus-tests.ts'
import { families } from './families.ts'

corpusTests('cell', families)
