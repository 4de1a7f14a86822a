/* What the sketches use of Arduino, declared and no more. */
#ifndef ARDUINO_H
#define ARDUINO_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

unsigned long millis(void);
void          delay(unsigned long);

struct SerialPort {
    void  begin(unsigned long);
    int   available(void);
    int   peek(void);
    int   read(void);
    float parseFloat(void);
    void  print(const char *);
    void  print(uint32_t);
    void  print(float);
    void  println(const char *);
    void  println(void);
    explicit operator bool() const;
};
extern SerialPort Serial;
#endif
