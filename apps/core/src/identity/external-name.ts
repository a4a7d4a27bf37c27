/** What no user name may hold, as for accounts kept here; a colon would end the name in Basic authentication. */
const FORBIDDEN = /[,"~#%$:]|\p{Cc}/u;
const LONGEST = 255;

/** The name under which an account of another system is kept: commas become underscores, as in Harbor. */
export function storedName(name: string): string {
  return name.replaceAll(',', '_');
}

/** Names that people, and directories, take for the same. */
export function foldedName(name: string): string {
  return name.normalize('NFKC').trim().toLowerCase().replace(/\s+/g, ' ');
}

/** Why nobody from another system may have this name; the end of a sentence, undefined when they may. */
export function externalNameFault(name: string, { builtIn, robotPrefix }: { readonly builtIn: string; readonly robotPrefix: string }): string | undefined {
  if (name === '' || name.length > LONGEST || name.trim() !== name || FORBIDDEN.test(name)) return 'cannot be used here: it must have 1 to 255 characters, no space around it and none of " ~ # % $ : in it';
  if (foldedName(name) === foldedName(builtIn)) return `is that of the built-in administrator ${builtIn}, who is somebody else`;
  if (name.startsWith(robotPrefix)) return `begins with ${robotPrefix}, as only names of robots do`;
  return undefined;
}
