/** What both manual pages of file transfer say of events. */
export function eventsText(direction: 'to' | 'from'): string {
  const other = direction === 'to' ? 'recipient' : 'sender';
  return [
    `With --json every event is an object on a line: "event" says which, "id" which transfer, "${direction}" the address of the ${other}. What is not known is left out.`,
    'offered: "file" with name, folder, size, type, date, description, hashes. accepted: "offset", the bytes that are there from an earlier attempt. transport: "method" (direct, proxy, in-band, upload), "path", and "reason" when another way was given up for it. progress: "bytes" and "total", at most five times a second. warning: "message".',
    `done: name, size, certainty (verified, unverified, unconfirmed), method, path${direction === 'to' ? ' (of an upload: its URL)' : ''}, hashes (hexadecimal, by algorithm), resumedFrom, elapsedMs${direction === 'from' ? ', storedAs' : ''}. failed: "error" with name, message, exitCode and hint; other transfers go on.${direction === 'from' ? ' refused: name and reason. executed: path, exitCode.' : ''}`,
  ].join('\n\n');
}
