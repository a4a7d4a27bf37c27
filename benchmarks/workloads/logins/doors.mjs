import { request, succeeded } from '../../load/http.mjs';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const basic = (name, password) => ({ authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` });

/** The ways to log in at `url`, each as { title, logIn(name, password) }; a login that is refused throws. */
export async function doorsOf(url) {
  const visitor = await visit(url);
  const get = (path) => async (name, password) => succeeded(await request(`${url}${path}`, { headers: basic(name, password) }), 200, `${path} as ${name}`);
  return [
    { title: 'Basic at /service/token', logIn: get('/service/token?service=harbor-registry&scope=repository:library/app:pull,push') },
    { title: 'Basic at /api/v2.0/users/current', logIn: get('/api/v2.0/users/current') },
    {
      title: 'the form at /c/login',
      logIn: async (name, password) => {
        const body = new URLSearchParams({ principal: name, password }).toString();
        return succeeded(await request(`${url}/c/login`, { method: 'POST', headers: { ...visitor, ...FORM }, body }), 200, `the login form as ${name}`);
      },
    },
  ];
}

/** What a browser that opened the sign-in page sends back with its form. */
async function visit(url) {
  const { headers } = succeeded(await request(`${url}/c/login`), 200, 'the sign-in page');
  const cookie = headers['set-cookie'].map((text) => text.split(';', 1)[0]).join('; ');
  return { cookie, 'x-harbor-csrf-token': headers['x-harbor-csrf-token'] };
}
