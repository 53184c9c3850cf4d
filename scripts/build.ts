/** Builds dist/ from src/ and integrations/: one file for one file, so that what runs is what one reads. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, cpSync, rmSync } from 'node:fs'
import { buildWeb } from './web.ts'

rmSync('dist', { recursive: true, force: true })
// Integrations import the package by its name, and so need what is built of src.
for (const project of ['tsconfig.build.json', 'tsconfig.integrations.json'])
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', project], { stdio: 'inherit' })
// These are texts for isolates, not modules of ours.
for (const file of ['bootstrap.js', 'zone.js']) copyFileSync(`src/isolate/${file}`, `dist/isolate/${file}`)
cpSync('src/config/shims', 'dist/config/shims', { recursive: true })
cpSync(await buildWeb(), 'dist/isolate/web/built', { recursive: true })
