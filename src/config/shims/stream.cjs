// The module `node:stream`, of the package `readable-stream`.
'use strict'

module.exports = require('readable-stream')
