/** A module as others import it: the class itself, or an object that names it and adds to it. */
type Importable = object & { readonly module?: object; readonly imports?: readonly Importable[]; readonly controllers?: readonly object[] };

/** Every controller of a module and of those it imports, without creating any of them. */
export function controllersOf(module: object, seen = new Set<object>()): object[] {
  if (seen.has(module)) return [];
  seen.add(module);
  const { module: base, imports = [], controllers = [] } = module as Importable;
  return [
    ...(base === undefined ? [] : controllersOf(base, seen)),
    ...metadata(module, 'controllers'), ...controllers,
    ...[...metadata(module, 'imports'), ...imports].flatMap((imported) => controllersOf(imported, seen)),
  ];
}

function metadata(module: object, key: string): object[] {
  return typeof module === 'function' ? ((Reflect.getMetadata(key, module) as object[] | undefined) ?? []) : [];
}
