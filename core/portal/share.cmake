# The portal's templates, style sheet and script, under <build>/share/schakel/portal.
set(SCHAKEL_PORTAL_SHARE ${CMAKE_BINARY_DIR}/share/schakel/portal)
file(GLOB portal_inputs CONFIGURE_DEPENDS core/portal/templates/*.mustache core/portal/assets/*.css core/portal/assets/*.ts
     core/portal/assets/*.mjs core/portal/assets/*.svg core/portal/assets/*.sh core/portal/assets/package*.json)
add_custom_command(OUTPUT ${SCHAKEL_PORTAL_SHARE}/assets/portal.css
  COMMAND ${CMAKE_SOURCE_DIR}/core/portal/assets/make.sh ${SCHAKEL_PORTAL_SHARE}
  DEPENDS ${portal_inputs}
  COMMENT "portal: templates, style sheet and script")
add_custom_target(portal_share ALL DEPENDS ${SCHAKEL_PORTAL_SHARE}/assets/portal.css)
