// Runs in the browser. The only origin that it talks to is the one that it came from.
window.SwaggerUIBundle({
  url: '/v1/openapi.json',
  dom_id: '#operations',
  deepLinking: true,
  filter: true,
  docExpansion: 'list',
  // By their paths.
  operationsSorter: 'alpha',
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  persistAuthorization: false,
  // A validator badge would send the document elsewhere.
  validatorUrl: null,
  syntaxHighlight: { activated: true, theme: 'agate' },
})
