/**
 * The floor: a file over one TCP connection with Node's sockets, hashed on both sides and written to disk, and the hash
 * compared. No negotiation and no protocol: nothing a product could leave out.
 * `receive FILE` says its port; `send FILE PORT` says the milliseconds from the connection to the compared hash.
 */
const { createHash } = require('node:crypto');
const { createReadStream, createWriteStream } = require('node:fs');
const net = require('node:net');
const { Transform } = require('node:stream');
const { pipeline } = require('node:stream/promises');

const [mode, file, port] = process.argv.slice(2);
const highWaterMark = 1024 * 1024;
const hash = createHash('sha256');
const hashing = new Transform({
  highWaterMark,
  transform(chunk, _, done) {
    hash.update(chunk);
    done(null, chunk);
  },
});

if (mode === 'receive') {
  const server = net.createServer({ allowHalfOpen: true, noDelay: true, highWaterMark }, async (socket) => {
    server.close();
    await pipeline(socket, hashing, createWriteStream(file, { highWaterMark }), { end: true });
    socket.end(hash.digest());
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));
} else {
  const begunAt = performance.now();
  const socket = net.connect({
    host: '127.0.0.1',
    port: Number(port),
    allowHalfOpen: true,
    noDelay: true,
    highWaterMark,
  });
  const answer = new Promise((resolve) => socket.once('data', resolve));
  void (async () => {
    for await (const chunk of createReadStream(file, { highWaterMark })) {
      hash.update(chunk);
      if (!socket.write(chunk)) await new Promise((resolve) => socket.once('drain', resolve));
    }
    socket.end();
    if (!hash.digest().equals(await answer)) throw new Error('what arrived is not what was sent');
    console.log(String(performance.now() - begunAt));
  })();
}
