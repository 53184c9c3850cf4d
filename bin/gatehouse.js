#!/usr/bin/env node
// Plain JavaScript, so that an old Node.js can still read it and say what is needed.
var found = process.versions.node.split('.').map(Number)

if (found[0] < 22 || (found[0] === 22 && found[1] < 19)) {
  console.error(
    'gatehouse: needs Node.js 22.19 or newer and runs on ' +
      process.versions.node +
      '; install a newer Node.js',
  )
  process.exitCode = 2
} else {
  // Whatever ends this process before the command has ended is no success.
  process.exitCode = 1
  import('../dist/cli/main.js').then(
    (cli) =>
      cli.main(process.argv.slice(2), process).then((code) => {
        process.exitCode = code
      }),
    (error) => {
      process.exitCode = 2
      if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
      var missing = /dist.cli.main\.js/.test(String(error.message).split(' imported from ')[0])
      console.error(
        missing
          ? 'gatehouse: is not built; run `npm run build` in its folder'
          : 'gatehouse: a package it needs is missing; run `npm ci` or `npm install` (' +
              String(error.message).split('\n')[0] +
              ')',
      )
    },
  )
}
