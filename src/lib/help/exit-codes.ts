/** What each exit code means: the text of `xmppctl help exit-codes` and of every man page. */
import { ExitCode } from '../errors.js';
import { terms, text, type Page } from './document.js';

export const exitCodeMeanings: Readonly<Record<keyof typeof ExitCode, string>> = {
  ok: 'Done.',
  no: 'The work was done and the answer is no: declined, a check failed, some of the items could not be handled.',
  usage:
    'What was typed, or what the configuration says, cannot be acted on. Nothing was done; of what is read line by line, nothing from the line on that is named.',
  connect: 'The server could not be reached (DNS, TCP, TLS), or the connection was lost.',
  auth: 'The log-in was refused, or the server could not prove that it knows the password.',
  remote: 'The other side answered with an error, or broke the protocol.',
  timeout: 'Something did not happen within its time (`--timeout`).',
  file: 'A file on this machine could not be read or written.',
  room: 'A call failed while entering the room: it is full, for members only, does not exist.',
  muji: 'A call failed while agreeing with the others in the room: no codec in common, real addresses hidden.',
  session: 'A call failed in its Jingle session: refused, or nothing came back.',
  ice: 'A call failed because no path was found between the two machines (ICE).',
  dtls: 'A call failed because the path could not be secured (DTLS-SRTP): another certificate than announced, only SDES on offer.',
  media: 'A call was set up, and no sound came.',
  bug: 'A bug in xmppctl. Run again with `--debug` and report it.',
  interrupted: 'Interrupted: Ctrl-C, or the signal TERM or HUP.',
};

export const exitCodeTerms = (Object.keys(ExitCode) as (keyof typeof ExitCode)[]).map((name) => ({
  term: String(ExitCode[name]),
  text: exitCodeMeanings[name],
}));

export const exitCodesPage: Page = {
  name: 'exit-codes',
  section: 1,
  summary: 'what the exit codes of xmppctl mean',
  sections: [
    {
      title: 'EXIT CODES',
      blocks: [
        terms(exitCodeTerms),
        text(
          'An error is one line on standard error that says what was being done, what came back and what to do next. With `--json` it is an object there: {"error": {"name", "message", "exitCode", "hint", …}}. Where a code means something particular for a command, its own page says so.\n\nA file that was sent is verified when the recipient has compared its hash, which is 0; unverified when the recipient only said that it is done, which is 0 with a warning, and 1 with `--strict`; unconfirmed when everything was sent and nothing came back, which is 6.\n\nA reader that goes away, as in `xmppctl listen | head -n 1`, is no error: the exit code is 0. What is piped through `xmppctl pubsub publish` and the imports is published all the same; the other commands end then. That nobody reads standard error stops no command.',
        ),
      ],
    },
  ],
};
