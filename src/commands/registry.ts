/**
 * Every command there is, in the order `xmppctl --help` shows them. A command is loaded when it is used.
 */
import type { AnyCommandDefinition, CommandEntry } from '../lib/command/definition.js';

/** Forgets the types of a definition: they have done their work where it is written. */
function load(importer: () => Promise<{ command: unknown }>): () => Promise<AnyCommandDefinition> {
  return async () => (await importer()).command as AnyCommandDefinition;
}

export const groups: Readonly<Record<string, string>> = {
  account: 'profiles: who you log in as',
  call: 'calls, with real media',
  blog: 'posts of people and communities (XEP-0277, XEP-0472)',
  bookmarks: 'the rooms that an account keeps (XEP-0402)',
  disco: 'what an entity offers (XEP-0030)',
  jid: 'check, normalise and compare addresses',
  probe: 'validate a server',
  pubsub: 'nodes and items: publish, read, watch, manage (XEP-0060)',
  sandbox: 'a throw-away, loopback-only real server',
  sxe: 'edit XML documents together (XEP-0284)',
  trace: 'recorded streams: show, check, count, compare, export, replay; and a proxy that records',
  'muc-call': 'calls in rooms (XEP-0272)',
  'vcard avatar': 'the picture of an account',
  vcard: 'profiles and pictures, and the move from vcard-temp to vCard4',
};

export const registry: readonly CommandEntry[] = [
  {
    path: 'account add',
    summary: 'add an account, so that other commands can log in with it',
    load: load(() => import('./account/add.js')),
  },
  {
    path: 'account list',
    summary: 'list the accounts',
    load: load(() => import('./account/list.js')),
  },
  {
    path: 'account show',
    summary: 'show how an account connects; never its secrets',
    load: load(() => import('./account/show.js')),
  },
  {
    path: 'account use',
    summary: 'choose the account that is used when none is named',
    load: load(() => import('./account/use.js')),
  },
  {
    path: 'account remove',
    summary: 'remove an account and the secrets stored for it from this machine',
    load: load(() => import('./account/remove.js')),
  },
  {
    path: 'account test',
    summary: 'log in and report how: server, TLS, mechanism, round trip',
    load: load(() => import('./account/test.js')),
  },
  {
    path: 'account import',
    summary: 'add the account that another program is set up with',
    load: load(() => import('./account/import.js')),
  },
  {
    path: 'account register',
    summary: 'make a new account on a server that lets people do so',
    load: load(() => import('./account/register.js')),
  },
  {
    path: 'account passwd',
    summary: 'change the password of an account, on the server and where it is stored',
    load: load(() => import('./account/passwd.js')),
  },
  {
    path: 'send',
    summary: 'send a message',
    load: load(() => import('./send.js')),
  },
  {
    path: 'send-file',
    summary: 'send files',
    load: load(() => import('./send-file.js')),
  },
  {
    path: 'receive-file',
    summary: 'receive files',
    load: load(() => import('./receive-file.js')),
  },
  {
    path: 'call',
    summary: 'call somebody',
    load: load(() => import('./call.js')),
  },
  {
    path: 'call answer',
    summary: 'wait for a call, or an invitation to one, and take it',
    load: load(() => import('./call/answer.js')),
  },
  {
    path: 'muc-call join',
    summary: 'take part in a call in a room',
    load: load(() => import('./muc-call/join.js')),
  },
  {
    path: 'muc-call answer',
    summary: 'wait for an invitation to a call in a room, and join it',
    load: load(() => import('./muc-call/answer.js')),
  },
  {
    path: 'muc-call leave',
    summary: 'have the other programs of this account leave the call in a room',
    load: load(() => import('./muc-call/leave.js')),
  },
  {
    path: 'muc-call invite',
    summary: 'invite people to a call in a room',
    load: load(() => import('./muc-call/invite.js')),
  },
  {
    path: 'muc-call list',
    summary: 'list who is in the calls in rooms',
    load: load(() => import('./muc-call/list.js')),
  },
  {
    path: 'muc-call status',
    summary: 'watch a call in a room from inside: who is connected, by which path, loss, jitter, level',
    load: load(() => import('./muc-call/status.js')),
  },
  {
    path: 'listen',
    summary: 'print messages as they come in',
    load: load(() => import('./listen.js')),
  },
  {
    path: 'ping',
    summary: 'measure the round trip to a server or an entity',
    load: load(() => import('./ping.js')),
  },
  {
    path: 'pubsub publish',
    summary: 'publish items',
    load: load(() => import('./pubsub/publish.js')),
  },
  {
    path: 'pubsub items',
    summary: 'list the items of a node',
    load: load(() => import('./pubsub/items.js')),
  },
  {
    path: 'pubsub get',
    summary: 'print the payload of items',
    load: load(() => import('./pubsub/get.js')),
  },
  {
    path: 'pubsub retract',
    summary: 'take items back',
    load: load(() => import('./pubsub/retract.js')),
  },
  {
    path: 'pubsub purge',
    summary: 'delete all items of a node, and keep the node',
    load: load(() => import('./pubsub/purge.js')),
  },
  {
    path: 'pubsub watch',
    summary: 'print what happens at nodes, as it happens',
    load: load(() => import('./pubsub/watch.js')),
  },
  {
    path: 'pubsub nodes',
    summary: 'list the nodes of a service, or of an account',
    load: load(() => import('./pubsub/nodes.js')),
  },
  {
    path: 'pubsub info',
    summary: 'show what a node is',
    load: load(() => import('./pubsub/info.js')),
  },
  {
    path: 'pubsub create',
    summary: 'make a node',
    load: load(() => import('./pubsub/create.js')),
  },
  {
    path: 'pubsub configure',
    summary: 'show or change how a node is configured',
    load: load(() => import('./pubsub/configure.js')),
  },
  {
    path: 'pubsub default',
    summary: 'show how a new node is configured',
    load: load(() => import('./pubsub/default.js')),
  },
  {
    path: 'pubsub delete',
    summary: 'delete a node with all its items and subscriptions',
    load: load(() => import('./pubsub/delete.js')),
  },
  {
    path: 'pubsub subscribe',
    summary: 'have the account told of what is published at a node',
    load: load(() => import('./pubsub/subscribe.js')),
  },
  {
    path: 'pubsub unsubscribe',
    summary: 'have the account told no more of a node',
    load: load(() => import('./pubsub/unsubscribe.js')),
  },
  {
    path: 'pubsub subscriptions',
    summary: 'list subscriptions: the own ones, or those of everybody at an own node',
    load: load(() => import('./pubsub/subscriptions.js')),
  },
  {
    path: 'pubsub affiliations',
    summary: 'list or change who may do what at a node',
    load: load(() => import('./pubsub/affiliations.js')),
  },
  {
    path: 'pubsub pending',
    summary: 'list who waits for an approval to subscribe, and answer',
    load: load(() => import('./pubsub/pending.js')),
  },
  {
    path: 'pubsub export',
    summary: 'write a whole node to a file: configuration, affiliations, subscriptions and items',
    load: load(() => import('./pubsub/export.js')),
  },
  {
    path: 'pubsub import',
    summary: 'make a node of what pubsub export wrote',
    load: load(() => import('./pubsub/import.js')),
  },
  {
    path: 'pubsub mirror',
    summary: 'keep one node as another one is',
    load: load(() => import('./pubsub/mirror.js')),
  },
  {
    path: 'blog post',
    summary: 'publish a post',
    load: load(() => import('./blog/post.js')),
  },
  {
    path: 'blog edit',
    summary: 'change a post',
    load: load(() => import('./blog/edit.js')),
  },
  {
    path: 'blog delete',
    summary: 'delete a post',
    load: load(() => import('./blog/delete.js')),
  },
  {
    path: 'blog list',
    summary: 'list the posts of a feed, or write it as Atom or RSS',
    load: load(() => import('./blog/list.js')),
  },
  {
    path: 'blog show',
    summary: 'read a post',
    load: load(() => import('./blog/show.js')),
  },
  {
    path: 'blog comment',
    summary: 'comment on a post',
    load: load(() => import('./blog/comment.js')),
  },
  {
    path: 'blog comments',
    summary: 'read the comments on a post',
    load: load(() => import('./blog/comments.js')),
  },
  {
    path: 'blog repost',
    summary: "publish somebody else's post in the own blog",
    load: load(() => import('./blog/repost.js')),
  },
  {
    path: 'blog follow',
    summary: 'print posts as they are published',
    load: load(() => import('./blog/follow.js')),
  },
  {
    path: 'blog import',
    summary: 'publish the posts of an Atom or RSS feed, or of a folder of Markdown',
    load: load(() => import('./blog/import.js')),
  },
  {
    path: 'mood',
    summary: 'show or tell a mood (XEP-0107)',
    load: load(() => import('./mood.js')),
  },
  {
    path: 'activity',
    summary: 'show or tell what somebody is doing (XEP-0108)',
    load: load(() => import('./activity.js')),
  },
  {
    path: 'tune',
    summary: 'show or tell what music is playing (XEP-0118)',
    load: load(() => import('./tune.js')),
  },
  {
    path: 'nick',
    summary: 'show or tell a nickname (XEP-0172)',
    load: load(() => import('./nick.js')),
  },
  {
    path: 'location',
    summary: 'show or tell where somebody is (XEP-0080)',
    load: load(() => import('./location.js')),
  },
  {
    path: 'bookmarks list',
    summary: 'list the rooms that the account keeps',
    load: load(() => import('./bookmarks/list.js')),
  },
  {
    path: 'bookmarks add',
    summary: 'keep a room, or change how it is kept',
    load: load(() => import('./bookmarks/add.js')),
  },
  {
    path: 'bookmarks remove',
    summary: 'keep a room no more',
    load: load(() => import('./bookmarks/remove.js')),
  },
  {
    path: 'bookmarks convert',
    summary: 'bring bookmarks of older clients (XEP-0049, XEP-0048) to where newer ones look (XEP-0402)',
    load: load(() => import('./bookmarks/convert.js')),
  },
  {
    path: 'sxe share',
    summary: 'edit an XML document together with others (XEP-0284)',
    load: load(() => import('./sxe/share.js')),
  },
  {
    path: 'sxe join',
    summary: 'take part in a session, with a file that is kept as its document',
    load: load(() => import('./sxe/join.js')),
  },
  {
    path: 'sxe edit',
    summary: 'open the document of a session in an editor',
    load: load(() => import('./sxe/edit.js')),
  },
  {
    path: 'sxe board',
    summary: 'draw together: a whiteboard in the browser',
    load: load(() => import('./sxe/board.js')),
  },
  {
    path: 'sxe watch',
    summary: 'print the edits of a session as they are made',
    load: load(() => import('./sxe/watch.js')),
  },
  {
    path: 'sxe export',
    summary: 'print the document of a session as it is now',
    load: load(() => import('./sxe/export.js')),
  },
  {
    path: 'sxe history',
    summary: 'list who has written and changed what in the document of a session',
    load: load(() => import('./sxe/history.js')),
  },
  {
    path: 'sxe host',
    summary: 'keep the document of a session in a folder, and give it to whoever joins',
    load: load(() => import('./sxe/host.js')),
  },
  {
    path: 'sxe list',
    summary: 'list the editing sessions in a room',
    load: load(() => import('./sxe/list.js')),
  },
  {
    path: 'probe',
    summary: 'validate a server: DNS, TLS, certificates, authentication, federation, abuse',
    load: load(() => import('./probe.js')),
  },
  {
    path: 'probe explain',
    summary: 'say what a check of probe looks at, why, and how a fault is mended',
    load: load(() => import('./probe/explain.js')),
  },
  {
    path: 'probe diff',
    summary: 'compare two reports of probe: what became better, what became worse',
    load: load(() => import('./probe/diff.js')),
  },
  {
    path: 'disco',
    summary: 'show what an entity is and can do',
    load: load(() => import('./disco.js')),
  },
  {
    path: 'disco info',
    summary: 'show what an entity is and can do',
    load: load(() => import('./disco/info.js')),
  },
  {
    path: 'disco items',
    summary: 'list what belongs to an entity: its services, rooms or nodes',
    load: load(() => import('./disco/items.js')),
  },
  {
    path: 'console',
    summary: 'type stanzas and watch the stream; in a pipe: stanzas in, stanzas out',
    load: load(() => import('./console.js')),
  },
  {
    path: 'raw',
    summary: 'send stanzas as XML and print what is answered',
    load: load(() => import('./raw.js')),
  },
  {
    path: 'jid check',
    summary: 'say whether addresses are valid, and what is wrong with them',
    load: load(() => import('./jid/check.js')),
  },
  {
    path: 'jid normalize',
    summary: 'print addresses in their prepared form',
    load: load(() => import('./jid/normalize.js')),
  },
  {
    path: 'jid compare',
    summary: 'say whether two addresses are the same',
    load: load(() => import('./jid/compare.js')),
  },
  {
    path: 'jid escape',
    summary: 'make a name fit for the localpart of an address (XEP-0106)',
    load: load(() => import('./jid/escape.js')),
  },
  {
    path: 'jid unescape',
    summary: 'show escaped localparts as people read them (XEP-0106)',
    load: load(() => import('./jid/unescape.js')),
  },
  {
    path: 'vcard get',
    summary: 'show the card of an account',
    load: load(() => import('./vcard/get.js')),
  },
  {
    path: 'vcard set',
    summary: 'publish the own card, or change parts of it',
    load: load(() => import('./vcard/set.js')),
  },
  {
    path: 'vcard avatar get',
    summary: 'show or save the picture of an account',
    load: load(() => import('./vcard/avatar/get.js')),
  },
  {
    path: 'vcard avatar set',
    summary: 'publish a picture as the own avatar',
    load: load(() => import('./vcard/avatar/set.js')),
  },
  {
    path: 'vcard avatar clear',
    summary: 'take the own picture away',
    load: load(() => import('./vcard/avatar/clear.js')),
  },
  {
    path: 'vcard convert',
    summary: 'convert a card between vCard4, vcard-temp, vCard files and jCard',
    load: load(() => import('./vcard/convert.js')),
  },
  {
    path: 'vcard lint',
    summary: 'say what of a card will be lost, repaired or refused',
    load: load(() => import('./vcard/lint.js')),
  },
  {
    path: 'sandbox run',
    summary: 'run a command with a throw-away server of its own',
    load: load(() => import('./sandbox/run.js')),
  },
  {
    path: 'sandbox start',
    summary: 'start a throw-away server',
    load: load(() => import('./sandbox/start.js')),
  },
  {
    path: 'sandbox status',
    summary: 'list the throw-away servers that are running',
    load: load(() => import('./sandbox/status.js')),
  },
  {
    path: 'sandbox stop',
    summary: 'end a throw-away server and remove everything of it',
    load: load(() => import('./sandbox/stop.js')),
  },
  {
    path: 'sandbox env',
    summary: 'print how to use a throw-away server, for a shell to evaluate',
    load: load(() => import('./sandbox/env.js')),
  },
  {
    path: 'trace show',
    summary: 'show a recorded trace: stanzas, events and round trips',
    load: load(() => import('./trace/show.js')),
  },
  {
    path: 'trace proxy',
    summary: 'a man in the middle: record, watch, break and change what a client and a server say',
    load: load(() => import('./trace/proxy.js')),
  },
  {
    path: 'trace lint',
    summary: 'say where a recorded stream breaks the rules',
    load: load(() => import('./trace/lint.js')),
  },
  {
    path: 'trace stats',
    summary: 'count what crossed: bytes, stanzas, round trips, time to each phase',
    load: load(() => import('./trace/stats.js')),
  },
  {
    path: 'trace diff',
    summary: 'compare two recordings: what only one has, and what differs',
    load: load(() => import('./trace/diff.js')),
  },
  {
    path: 'trace export',
    summary: 'make a page, a readable log or one JSON document of a trace',
    load: load(() => import('./trace/export.js')),
  },
  {
    path: 'trace replay',
    summary: 'play one side of a recording to the other, live, and say where it departs from it',
    load: load(() => import('./trace/replay.js')),
  },
  {
    path: 'trace anonymise',
    summary: 'replace addresses, names and texts, so that a trace can be shown to others',
    load: load(() => import('./trace/anonymise.js')),
  },
  {
    path: 'vcard migrate',
    summary: 'move profiles and pictures from vcard-temp to vCard4',
    load: load(() => import('./vcard/migrate.js')),
  },
  {
    path: 'vcard verify',
    summary: 'compare what a migration published with what is there',
    load: load(() => import('./vcard/verify.js')),
  },
  {
    path: 'vcard rollback',
    summary: 'put back what was there before a migration',
    load: load(() => import('./vcard/rollback.js')),
  },
  {
    path: 'completion',
    summary: 'print the completion script of a shell',
    load: load(() => import('./completion.js')),
  },
  {
    path: 'help',
    summary: 'show the help of a command, or explain a topic',
    load: load(() => import('./help.js')),
  },
];
