// The module `node:assert/strict`, of the package `assert`.
'use strict'

module.exports = require('assert/').strict
