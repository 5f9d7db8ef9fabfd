/** Texts that the pages of the commands about calls share. */
export const mediaText = [
  'Sound is Opus, encrypted with DTLS-SRTP; what is offered with SDES only is refused. Pictures are VP8, passed through as they are: --video sends them, and --record stores them. Who joins late, or has lost some, is sent the last key frame of the file again, with what came after it.',
  'What is sent: --play a WAV or Ogg Opus file, with which the call ends unless --loop begins it again (as it does with --video, where nothing else is sent); --tone a sine; --stdin or --capture PCM (s16le, 48 kHz, mono); otherwise silence.',
  'What becomes of what comes: --record stores one Ogg Opus file for each participant, one WebM file for each who sends pictures, and a mix, and prints their paths; --pcm-out - writes the mix to standard output; otherwise it is only counted.',
].join('\n\n');

export const pathText = [
  'The two sides look for a path with ICE: directly, as a STUN server sees them, or through a TURN server. STUN and TURN servers are those that the own server names (XEP-0215), unless others are named with --stun and --turn; nobody else is ever asked. --relay-only tells the others no address of this machine and uses TURN only. --interface keeps to some of the network interfaces.',
  'The password of --turn comes from --turn-password-file or the environment, never from the command line.',
].join('\n\n');

export const eventsText = (subject: string): string =>
  [
    `With --json each step is an object a line, with its kind in event: ${subject}.`,
    'phase: a step is done; phase is room, muji, session, ice, dtls or media, ms how long it took, participant with whom. With --verbose these are shown as lines, too.',
    'first-packet: something is heard of participant, or with media video, seen. warning: text. finished, the last one: participants, as above with packetsSent, packetsReceived, lost, jitterMs, roundTripMs, levelDbov (0 is as loud as can be) and, where there are pictures, video (packetsSent, packetsReceived, lost, frames, keyFramesWanted), and recordings, the paths of what was recorded.',
  ].join('\n\n');

export const phaseExitCodes = {
  22: 'the session was refused, or nothing came back',
  23: 'no path was found (ICE)',
  24: 'the path could not be secured (DTLS-SRTP)',
  25: 'the call was set up, and no sound came',
} as const;
