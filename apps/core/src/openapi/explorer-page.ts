const FOLDER = '/api/v2.0/explorer';

/** Only our own files, no inline script or style, in nobody's frame. Swagger UI draws its icons from data: addresses. */
export const EXPLORER_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export const EXPLORER_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Haven API</title>
<link rel="stylesheet" href="${FOLDER}/swagger-ui.css">
</head>
<body>
<div id="explorer"></div>
<noscript>The document itself: <a href="/api/v2.0/openapi.yaml">openapi.yaml</a></noscript>
<script src="${FOLDER}/swagger-ui-bundle.js"></script>
<script src="${FOLDER}/start.js"></script>
</body>
</html>
`;

/** Starts Swagger UI. Within a session, changes need the CSRF token of the latest answer. */
export const EXPLORER_START = `'use strict';
(() => {
  const CSRF = 'X-Harbor-CSRF-Token';
  let token;
  SwaggerUIBundle({
    url: '/api/v2.0/openapi.json',
    dom_id: '#explorer',
    deepLinking: true,
    docExpansion: 'none',
    filter: true,
    validatorUrl: null,
    requestInterceptor: (request) => {
      if (token !== undefined && !(CSRF in request.headers)) request.headers[CSRF] = token;
      return request;
    },
    responseInterceptor: (response) => {
      token = response.headers[CSRF.toLowerCase()] ?? token;
      return response;
    },
  });
})();
`;
