#!/usr/bin/env node
// CommonJS on purpose: Node reaches a CommonJS entry about 10 ms sooner than an ES module one.
require('../dist/start.js');
