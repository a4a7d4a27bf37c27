/**
 * What can be wrong with a directory. "refused": it said no to the search account or to a search; "shut-out": to an account
 * whose password may be right; "elsewhere": what is asked for is on another server, which is not asked; "referral": following
 * references went wrong.
 */
export type DirectoryFaultKind = 'settings' | 'unreachable' | 'certificate' | 'slow' | 'refused' | 'garbage' | 'ambiguous' | 'shut-out' | 'elsewhere' | 'referral';

/** The directory could not be asked, or answered nonsense. The message is for administrators and names no password. */
export class DirectoryFault extends Error {
  override readonly name = 'DirectoryFault';
  readonly kind: DirectoryFaultKind;

  constructor(kind: DirectoryFaultKind, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.kind = kind;
  }
}
