/** Drawings shared with a whiteboard of Psi, which speaks an older dialect, on both servers. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { JID } from '../../src/lib/jid/jid.js';
import type { Session } from '../../src/lib/session/session.js';
import { environmentOf } from '../support/as-account.js';
import { PsiPeer } from '../support/psi-peer.js';
import { runXmppctl, startXmppctl, type Running } from '../support/run-xmppctl.js';
import { connectAccount } from '../support/sandbox-session.js';
import { describeOnEachServer } from '../support/servers.js';
import { useTemporaryHome } from '../support/temporary-home.js';

const DRAWING =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 400"><rect width="10" height="20"/></svg>\n';
const waitMs = { timeout: 30_000 };

describeOnEachServer('xmppctl sxe with Psi', (server) => {
  const home = useTemporaryHome();
  const options = (as: string) => ({ env: environmentOf(server.sandbox, as) });
  const addressOf = (name: string): string => server.sandbox.accounts[name]?.jid ?? '';
  const room = (name: string): string => `${name}@${server.sandbox.addresses.muc}`;
  const interrupt = async (...processes: Running[]): Promise<void> => {
    for (const one of processes) {
      one.child.kill('SIGINT');
      expect((await one.finished).code).toBe(130);
    }
  };
  const startPsi = async (name: string): Promise<{ psi: PsiPeer; session: Session }> => {
    const session = await connectAccount(server.sandbox, name);
    const psi = await PsiPeer.start(session);
    onTestFinished(async () => {
      psi.close();
      await session.close();
    });
    return { psi, session };
  };
  const contains = (file: string, ...texts: (string | RegExp)[]) =>
    vi.waitFor(async () => {
      const said = await readFile(file, 'utf8');
      for (const text of texts) expect(said).toMatch(text);
    }, waitMs);
  const lacks = (file: string, text: string) =>
    vi.waitFor(async () => expect(await readFile(file, 'utf8')).not.toContain(text), waitMs);
  const change = async (file: string, from: string, to: string): Promise<void> =>
    writeFile(file, (await readFile(file, 'utf8')).replace(from, to));

  /** Both sides draw, change and erase. */
  async function drawTogether(file: string, psi: PsiPeer): Promise<void> {
    const drawn = await psi.draw('M 1 1 L 9 9');
    await contains(file, /<path d="M 1 1 L 9 9"/);
    await change(file, '</svg>', '<circle r="5" fill="red"/></svg>');
    await vi.waitFor(() => expect(psi.shapes()).toContain('circle fill="red" r="5"'), waitMs);
    await psi.setAttribute(psi.find('r', '5') ?? '', 'fill', 'blue');
    await contains(file, /fill="blue"/);
    await change(file, 'fill="blue"', 'fill="green"');
    await vi.waitFor(() => expect(psi.shapes()).toContain('circle fill="green" r="5"'), waitMs);
    await psi.erase(drawn);
    await lacks(file, '<path');
    await change(file, '<circle r="5" fill="green"/>', '');
    await vi.waitFor(() => expect(psi.shapes().join()).not.toContain('circle'), waitMs);
    expect(psi.log.filter((line) => line.startsWith('removes'))).toEqual([]);
  }

  it('invites it, and draws with it', async () => {
    const { psi, session } = await startPsi('bob');
    const file = await home.write('a.svg', DRAWING);
    const sharing = startXmppctl(
      ['sxe', 'share', file, session.jid.toString(), '--live', '--json'],
      options('alice'),
    );
    await vi.waitFor(() => expect(psi.shapes()).toEqual(['rect height="20" width="10"']), waitMs);
    await drawTogether(file, psi);
    await psi.leave();
    expect((await sharing.finished).code).toBe(0);
  }, 60_000);

  it('is invited by it, and draws with it', async () => {
    const { psi } = await startPsi('bob');
    const file = path.join(path.dirname(await home.write('x', '')), 'b.svg');
    const jid = `${addressOf('alice')}/drawing`;
    const env = { ...environmentOf(server.sandbox, 'alice'), XMPPCTL_JID: jid };
    const joining = startXmppctl(['sxe', 'join', addressOf('bob'), '--live', file, '--json'], { env });
    await joining.waitFor('stderr', /waiting for a session/);
    await psi.invite(JID.parse(jid));
    await contains(file, /<!DOCTYPE svg PUBLIC/, /viewBox="0 0 600 400"/);
    await drawTogether(file, psi);
    await interrupt(joining);
    await vi.waitFor(() => expect(psi.log.at(-1)).toContain('left-session'), waitMs);
  }, 60_000);

  it('draws with it in a room, and with others who join, over a restart of the server', async () => {
    const where = room('whiteboard');
    const { psi, session } = await startPsi('bob');
    await psi.enter(JID.parse(where), 'psi');
    const mine = await home.write('a.svg', DRAWING);
    const theirs = path.join(path.dirname(mine), 'b.svg');
    const sharing = startXmppctl(['sxe', 'share', mine, where, '--live', '--json'], options('alice'));
    await vi.waitFor(() => expect(psi.shapes()).toEqual(['rect height="20" width="10"']), waitMs);
    const joining = startXmppctl(
      ['sxe', 'join', where, '--live', theirs, '--json', '--nick', 'third'],
      options('alice'),
    );
    await contains(theirs, '<rect');
    await drawTogether(theirs, psi);
    await contains(mine, /<svg[^>]*><rect[^>]*><\/svg>/);
    expect((await runXmppctl(['sxe', 'list', where, '--json'], options('alice'))).stdout).toContain('a.svg');
    await session.close();
    await server.sandbox.shutDown();
    await change(mine, '</svg>', '<line x2="1"/></svg>');
    await change(theirs, '</svg>', '<line x2="2"/></svg>');
    await server.sandbox.restart();
    await contains(mine, 'x2="1"', 'x2="2"');
    await contains(theirs, 'x2="1"', 'x2="2"');
    await interrupt(joining, sharing);
  }, 120_000);

  it('lets a board take part, and shares with it nothing but drawings', async () => {
    const { psi, session } = await startPsi('bob');
    const board = startXmppctl(
      ['sxe', 'board', '--with', session.jid.toString(), '--json'],
      options('alice'),
    );
    await board.waitFor('stdout', /"url":"http/);
    await vi.waitFor(() => expect(psi.shapes()).toEqual([]), waitMs);
    await interrupt(board);
    await vi.waitFor(() => expect(psi.log.at(-1)).toContain('left-session'), waitMs);
    const file = await home.write('a.xml', '<doc/>');
    const sharing = startXmppctl(['sxe', 'share', file, session.jid.toString()], options('alice'));
    await sharing.waitFor('stderr', /waiting until \S+ can take it/);
    await interrupt(sharing);
    expect(psi.log.filter((line) => line.includes('invitation'))).toHaveLength(1);
  }, 60_000);
});
