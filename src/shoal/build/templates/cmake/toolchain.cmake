# For the @{board}: @{core}.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR @{core})
set(CMAKE_C_COMPILER @{compiler})
set(CMAKE_C_FLAGS_INIT "@{flags}")
# There is no start-up to link with yet.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
