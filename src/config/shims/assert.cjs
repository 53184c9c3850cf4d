// The module `node:assert`, of the package `assert`.
'use strict'

module.exports = require('assert/')
