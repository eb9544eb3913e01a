#!/usr/bin/env node
// Starts the program and decides nothing. Written so that even Node.js 10 can parse it and say what is missing; the package.json
// beside it makes every version of Node.js read it as CommonJS.
'use strict';

var NEEDED = 24;

if (parseInt(process.versions.node, 10) < NEEDED) {
  process.stderr.write(
    'mabs needs Node.js ' +
      NEEDED +
      ' or newer, and this is ' +
      process.version +
      ': install it from https://nodejs.org [MABS-NODE-TOO-OLD]\n',
  );
  process.exitCode = 5;
} else start();

function start() {
  quietSqlite();
  var path = require('node:path');
  var built = path.join(__dirname, '..', 'dist', 'main.js');
  var source = path.join(__dirname, '..', 'src', 'main.ts');
  var main = process.env.MABS_SOURCE === '1' || !require('node:fs').existsSync(built) ? source : built;
  import(require('node:url').pathToFileURL(main).href).catch((error) => {
    console.error('mabs cannot start:', error);
    process.exitCode = 1;
  });
}

/** node:sqlite works and is tested with the project, so its users need no warning; all other warnings are shown. */
function quietSqlite() {
  var emitWarning = process.emitWarning;
  process.emitWarning = (warning, ...rest) => {
    var type = rest[0];
    var name = type && typeof type === 'object' ? type.type : type;
    if (name === 'ExperimentalWarning' && /SQLite/.test(String(warning))) return;
    emitWarning.call(process, warning, ...rest);
  };
}
