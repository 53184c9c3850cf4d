/** Builds dist/ from src/: one file for one file, so that what runs is what one reads. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, rmSync } from 'node:fs'

rmSync('dist', { recursive: true, force: true })
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
  stdio: 'inherit',
})
// The bootstrap is text for isolates, not a module of ours.
copyFileSync('src/isolate/bootstrap.js', 'dist/isolate/bootstrap.js')
