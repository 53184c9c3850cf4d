/** The file of a private key: made once, read by its owner alone. */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  realpathSync,
  unlinkSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { limits } from '../../limits.ts'
import { newKeyText, readKeyText } from '../keys.ts'
import type { Signer } from '../note.ts'
import { EvidenceError } from '../store.ts'
import { errnoOf, flags, makeFolders, reporting } from './folder.ts'
import { writeWhole } from './repair.ts'

/** The folder of keys, `~/.config/gatehouse` unless `XDG_CONFIG_HOME` names another place. */
export function keyFolder(): string {
  const given = process.env.XDG_CONFIG_HOME
  return join(given !== undefined && isAbsolute(given) ? given : join(homedir(), '.config'), 'gatehouse')
}

/** Where a user's own key lies unless another is named. */
export const defaultKeyFile = (): string => join(keyFolder(), 'evidence.key')

/**
 * Makes the key of this user where there is none; of two that try at once both find the same.
 * @returns whether it was made
 * @throws EvidenceError as the system says
 */
export function makeDefaultKey(): boolean {
  const file = defaultKeyFile()
  if (existsSync(file)) return false
  const what = `no key can be made in \`${keyFolder()}\` (name one with \`evidence.key\`, or another place with XDG_CONFIG_HOME)`
  return reporting(what, () => {
    if (!existsSync(keyFolder())) makeFolder(keyFolder())
    const draft = `${file}.${process.pid}`
    const fd = openSync(draft, flags.create, 0o600)
    try {
      writeWhole(fd, Buffer.from(newKeyText()))
      fsyncSync(fd)
      return claim(draft, file)
    } finally {
      closeSync(fd)
      unlinkSync(draft)
    }
  })
}

/** Another kernel may make it at the same time. */
function makeFolder(folder: string): void {
  try {
    makeFolders(folder, 0o700)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
  }
}

/** A link appears with its whole content or not at all. */
function claim(draft: string, file: string): boolean {
  try {
    linkSync(draft, file)
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
}

/**
 * @param file as a person wrote it; links are followed, since secrets are often handed out as links
 * @throws EvidenceError EACCES where others can read it, EINVAL where it holds no key, ENOENT where there is none
 */
export function readKeyFile(file: string): Signer {
  return reporting(`the key \`${file}\` cannot be used`, () => {
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const { mode, size, uid } = fstatSync(fd)
      if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw refused('it is not a regular file')
      if ((mode & 0o077) !== 0)
        throw refused(`others can read it (its mode is ${(mode & 0o777).toString(8)}); \`chmod 600\` it`)
      const own = process.getuid?.()
      if (own !== undefined && uid !== own && uid !== 0) throw refused('it belongs to another user')
      if (size > limits.evidenceKeyFileBytesMax)
        throw new EvidenceError('EINVAL', `it has ${size} bytes, and no key has so many`)
      return readKeyText(readFileSync(fd, 'utf8'))
    } finally {
      closeSync(fd)
    }
  })
}

const refused = (why: string): EvidenceError => new EvidenceError('EACCES', why)

/** @returns whether a file lies in a folder or below, by the places to which links lead */
export function liesIn(folder: string, file: string): boolean {
  const way = relative(realOf(folder), realOf(file))
  return way === '' || !(way === '..' || way.startsWith('../') || isAbsolute(way))
}

/** What does not exist yet lies where the nearest folder above it leads. */
function realOf(path: string): string {
  const given = resolve(path)
  const above = dirname(given)
  if (existsSync(given) || above === given) return existsSync(given) ? realpathSync(given) : given
  return join(realOf(above), relative(above, given))
}
