// Takes the place of VS Code's logger `@vscode/spdlog`, a native module that an installation without a compiler lacks: without it the
// output channels of extensions stay empty. Same face, written with Node alone.
const { appendFileSync, mkdirSync } = process.getBuiltinModule('node:fs');
const { dirname } = process.getBuiltinModule('node:path');

const levels = ['trace', 'debug', 'info', 'warning', 'error', 'critical'];
const off = levels.length;

class Logger {
  constructor(_type, _name, file) {
    this.file = file;
    this.level = 2;
    this.plain = false;
  }
  getLevel() {
    return this.level;
  }
  setLevel(level) {
    this.level = level;
  }
  setPattern() {}
  clearFormatters() {
    this.plain = true;
  }
  flush() {}
  drop() {
    this.level = off;
  }
  write(level, message) {
    if (level < this.level) return;
    const time = new Date().toISOString().replace('T', ' ').replace('Z', '');
    appendFileSync(this.file, this.plain ? message : `${time} [${levels[level]}] ${message}\n`);
  }
}
for (const [level, name] of ['trace', 'debug', 'info', 'warn', 'error', 'critical'].entries())
  Logger.prototype[name] = function (message) {
    this.write(level, message);
  };

async function createLogger(name, file) {
  mkdirSync(dirname(file), { recursive: true });
  return new Logger('', name, file);
}

// One by one: VS Code imports it as an ES module, and only these are found.
exports.version = 0;
exports.Logger = Logger;
exports.setLevel = () => undefined;
exports.setFlushOn = () => undefined;
exports.createRotatingLogger = createLogger;
exports.createAsyncRotatingLogger = createLogger;
