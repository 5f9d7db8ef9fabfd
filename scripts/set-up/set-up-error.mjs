/** Set-up cannot go on, for a reason that the user can do something about: printed on one line. */
export class SetUpError extends Error {}
