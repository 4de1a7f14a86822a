/* @{name} on the @{board}: sense, answer, learn when a label comes over the serial line.
 *
 * A sample: @{sample}
 * An answer: @{answer}
 * @{label}
 */
#include <@{name}.h>

/* Still to be written: fill the sample from a sensor, and return true when it is complete. */
bool sensor_read(model_input *sample) {
  (void)sample;
  return false;
}

/* A label is typed into the serial monitor: MODEL_TARGETS numbers. */
bool sensor_label(float *target) {
  while (Serial.available() > 0 && Serial.peek() <= ' ') Serial.read();
  if (Serial.available() == 0) return false;
  for (int i = 0; i < MODEL_TARGETS; i++) target[i] = Serial.parseFloat();
  return true;
}

void setup() {
  Serial.begin(115200);
  while (!Serial && millis() < 3000) {
  }
  const char *problem = app_start();
  while (problem != NULL) {
    Serial.println(problem);
    delay(1000);
  }
  Serial.println("golden vectors: ok");
}

void loop() {
  const struct app_event event = app_step();
  if (!event.sensed) return;
  if (event.status != SHOAL_OK) {
    Serial.println(shoal_status_text(event.status));
    return;
  }
  Serial.print("largest output ");
  Serial.print(app_largest(event.answer));
  if (event.learned) {
    Serial.print(", learnt, loss ");
    Serial.print(event.loss);
  }
  Serial.println();
}
