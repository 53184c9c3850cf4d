/** What a mount in memory holds, without the content of its files: that is named by the payloads on record of which it is made. */
import { z } from 'zod'
import { labelFlaw } from '../../labels.ts'
import { limits } from '../../limits.ts'

const path = z.string().max(limits.pathMax).regex(/^\//)
const time = z.number()
const size = z.int().min(0)
const hash = z.string().regex(/^[0-9a-f]{64}$/)
const labels = z.array(z.string().refine((label) => labelFlaw(label) === undefined)).max(limits.labelsMax)

/** Paths are those within the mount; times are ms since 1970. */
export const imageSchema = z.strictObject({
  /** Path and time of its last change, parents first. */
  folders: z.array(z.tuple([path, time])),
  /** Path, time of its last change, bytes, and hashes of the arguments of the calls that wrote it, in their order. */
  files: z.array(z.tuple([path, time, size, z.array(hash)])),
  /** What paths carry, by the keys of `PathLabels`. */
  labels: z.array(z.tuple([z.string(), labels])),
})
export type Image = z.infer<typeof imageSchema>

/** @returns hashes of all payloads of which its files are made */
export const payloadsOf = ({ files }: Image): readonly string[] =>
  files.flatMap(([, , , payloads]) => payloads)
