/**
 * What the docs page does besides Swagger UI. It runs in the browser, before the initializer of `@fastify/swagger-ui`, which takes `presets.apis` when the
 * page is loaded (Swagger UI's documentation of plugins).
 */
export const docsScript = `(() => {
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
  dark.addEventListener('change', follow)
  follow()

  // what is kept over a reload has neither the password nor the refresh token
  const authorizeOauth2 = (original) => ({ auth: { password, ...auth }, token: { refresh_token, ...token } }) => original({ auth, token })

  const InfoUrl = (_original, { React }) => ({ url }) =>
    React.createElement('a', { className: 'link', href: url.replace(/docs\\/json$/, 'openapi.json') }, 'openapi.json')

  // errors stand on one line each until somebody asks for more
  const response = (Original, { React: { createElement, useState }, getComponent }) => (props) => {
    const [isOpen, open] = useState(false)
    const { code, response } = props
    if (isOpen || code < '400') return createElement(Original, props)
    const source = response.get('description')
    return createElement('tr', { className: 'response', 'data-code': code },
      createElement('td', { className: 'response-col_status' }, code),
      createElement('td', { className: 'response-col_description error-line' },
        createElement(getComponent('Markdown', true), { source }),
        createElement('button', { type: 'button', 'aria-label': 'Example of ' + code, onClick: () => open(true) }, 'Example')))
  }

  const { presets } = SwaggerUIBundle
  const { apis } = presets
  presets.apis = [apis, () => ({ statePlugins: { auth: { wrapActions: { authorizeOauth2 } } }, wrapComponents: { InfoUrl, response } })]
})()
`
