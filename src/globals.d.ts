/** Filled in by the build from package.json. */
declare const XMPPCTL_VERSION: string;
/** Filled in by the build: a digest of `cli.js` and `commands.js`. */
declare const XMPPCTL_BUILD: string;
