const API = /^\/api\/v2\.0\//;

/**
 * What a request was about, as far as its path says: an artifact, a tag, a repository or a project by its name, anything
 * else by its place in the API. Bodies are not looked at: they may hold secrets.
 *
 * @param path of the request, without its query
 * @param project the name of the project, where it is known
 */
export function attemptedResource(path: string, parameters: Readonly<Record<string, string>>, project: string | undefined): string {
  const { project_name: named, project_name_or_id: namedOrId, repository_name: repository, reference, tag_name: tag } = parameters;
  const projectName = project ?? named ?? namedOrId;
  if (projectName === undefined) return decoded(path.replace(API, ''));
  if (repository === undefined) return Object.keys(parameters).length === 1 && path.endsWith(`/${namedOrId ?? ''}`) ? projectName : decoded(path.replace(API, ''));
  const fullName = `${projectName}/${decoded(repository)}`;
  if (tag !== undefined) return `${fullName}:${tag}`;
  if (reference === undefined) return fullName;
  return `${fullName}${reference.includes(':') ? '@' : ':'}${reference}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray percent sign: it stands for itself
  }
}
